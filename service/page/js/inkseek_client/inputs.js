/**
 * What callers hand in: sketches, photos, examples and changes. Files are bytes that the caller has read.
 *
 * @typedef {{uri: string, name: string, type: string}} NativeFile   of React Native, which reads it while it sends a form
 * @typedef {Blob | ArrayBuffer | ArrayBufferView<ArrayBuffer> | NativeFile} FileInput
 * @typedef {readonly unknown[]} Strokes   per stroke `[[x, …], [y, …]]`, pairs `[[x, y], …]` or points `[{x, y}, …]`; strokes of
 *   two or three points each could be rows or pairs, and are rejected: send `{drawing: [[[x, …], [y, …]], …]}`
 * @typedef {FileInput | Strokes | string | {readonly [member: string]: unknown}} Sketch   a picture's bytes (PNG, JPEG, WebP,
 *   GIF, BMP, SVG), strokes, SVG as text, or a JSON body of the service; text is never a path
 * @typedef {string | FileInput} PhotoReference   text is the id of a photo in the gallery; a file is uploaded
 * @typedef {readonly [Sketch, PhotoReference]} Pair   a sketch, and the photo that it shows
 * @typedef {string | {profile: string}} Target   what is adapted: a category by its name, or the way of drawing of a profile
 * @typedef {object} Change   of one photo: an upload where there is a `file`, else a deletion or a description
 * @property {string} photo_id
 * @property {FileInput} [file]   in place of whatever has that id
 * @property {string} [category]
 * @property {Record<string, unknown>} [metadata]   null as a value takes a field away
 * @property {true} [delete]
 * @typedef {readonly [string, string | FileInput]} Field   of a form
 */

/** @param {Sketch} sketch @returns {{body: BodyInit, contentType?: string}} throws TypeError for text that is no SVG and no JSON */
export function sketchBody(sketch) {
  if (isNativeFile(sketch)) return { body: formOf([["sketch", sketch]]) };
  if (isFile(sketch)) return { body: sketch, contentType: ("type" in sketch && sketch.type) || "application/octet-stream" };
  const text = sketchText(sketch);
  return { body: text, contentType: text.startsWith("<") ? "image/svg+xml" : "application/json" };
}

/** @param {Sketch} sketch @returns {string | FileInput} it as a field of a form; throws TypeError as `sketchBody` */
export function sketchField(sketch) {
  return isNativeFile(sketch) || isFile(sketch) ? sketch : sketchText(sketch);
}

/** @param {Iterable<Field>} fields @returns {FormData} in their order */
export function formOf(fields) {
  const form = new FormData();
  for (const [name, value] of fields) {
    // React Native reads its files by themselves; FormData of others would call it text.
    if (typeof value === "string" || isNativeFile(value)) form.append(name, /** @type {string} */ (value));
    else form.append(name, value instanceof Blob ? value : new Blob([value]), name);
  }
  return form;
}

/** @param {unknown} value @returns {value is NativeFile} */
export function isNativeFile(value) {
  return typeof value === "object" && value !== null && "uri" in value && typeof value.uri === "string";
}

/** @param {unknown} value @returns {value is Blob | ArrayBuffer | ArrayBufferView<ArrayBuffer>} */
function isFile(value) {
  return value instanceof Blob || value instanceof ArrayBuffer || ArrayBuffer.isView(value);
}

/** @param {Exclude<Sketch, FileInput>} sketch @returns {string} SVG or JSON */
function sketchText(sketch) {
  if (typeof sketch !== "string") return JSON.stringify(Array.isArray(sketch) ? { strokes: sketch } : sketch);
  const text = sketch.trimStart();
  if (/^[<{[]/.test(text)) return text;
  throw new TypeError("text is a sketch where it is SVG or JSON; of a file, hand in its bytes");
}
