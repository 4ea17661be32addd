/** What `@inkseek/client/local` has, without its types. */

export { LocalEncoder } from "./encoder.js";
export { LocalGallery } from "./gallery.js";
export { LocalSearch } from "./search.js";
export * from "./errors.js";
export { mirrored, tensor, view } from "./preprocess.js";
export { purposeOf } from "./purpose.js";
