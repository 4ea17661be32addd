/** Calls without the client's methods: an application that sends few of them bundles few of them. */

export * as adapters from "./adapters.js";
export * as changes from "./changes.js";
export * as feedback from "./feedback.js";
export * as operation from "./operation.js";
export * as photos from "./photos.js";
export * as search from "./search.js";
export * as vectors from "./vectors.js";
export { RetryingSender } from "../retrying_sender.js";
export { Sender } from "../sender.js";
export type { SenderOptions, SendOptions } from "../sender.js";
export type { Call } from "../call.js";
