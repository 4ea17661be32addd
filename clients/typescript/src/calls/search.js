/**
 * Calls that search.
 *
 * @import { Call } from "../call.js"
 * @import { Sketch } from "../inputs.js"
 * @import { BatchAnswer, BatchParameters, EncoderDescription, PreviewParameters, SearchAnswer, SearchParameters, SimilarParameters, VectorParameters } from "../schemas.js"
 * @typedef {object} Embedding   of a sketch, of length 1
 * @property {string} bundle   `bundle_id` of the encoder's bundle
 * @property {ArrayLike<number>} vector
 * @property {ArrayLike<number>} [mirrored]   of the mirrored drawing
 */

import { jsonWith, queryOf, quoted, readBlob } from "../call.js";
import { toHalf } from "../half.js";
import { formOf, sketchBody, sketchField } from "../inputs.js";

/** @param {Sketch} sketch @param {SearchParameters} [parameters] @returns {Call<SearchAnswer>} */
export function search(sketch, parameters = {}) {
  return { method: "POST", path: "/v1/search", query: queryOf(parameters), ...sketchBody(sketch), read: jsonWith("results") };
}

/**
 * @param {readonly Sketch[]} sketches
 * @param {BatchParameters} [parameters]
 * @returns {Call<BatchAnswer>}
 */
export function searchBatch(sketches, parameters = {}) {
  const body = formOf(sketches.map((sketch) => ["sketch", sketchField(sketch)]));
  return { method: "POST", path: "/v1/search:batch", query: queryOf(parameters), body, read: jsonWith("items"), slow: true };
}

/** @param {Embedding} embedding @param {VectorParameters} [parameters] @returns {Call<SearchAnswer>} in two bytes for each number */
export function searchVector({ bundle, vector, mirrored }, parameters = {}) {
  const body = new Blob(mirrored ? [toHalf(vector), toHalf(mirrored)] : [toHalf(vector)]);
  const contentType = "application/octet-stream";
  return { method: "POST", path: "/v1/search:vector", query: queryOf({ bundle, ...parameters }), body, contentType, read: jsonWith("results") };
}

/** @returns {Call<EncoderDescription>} */
export function encoder() {
  return { method: "GET", path: "/v1/encoder", read: jsonWith("embedding_dim") };
}

/** @param {string} bundleId @returns {Call<Blob>} ONNX */
export function encoderFile(bundleId) {
  return { method: "GET", path: `/v1/encoder/${encodeURIComponent(bundleId)}.onnx`, read: readBlob, slow: true };
}

/** @param {Sketch} sketch @param {PreviewParameters} [parameters] @returns {Call<Blob>} a PNG */
export function preview(sketch, parameters = {}) {
  return { method: "POST", path: "/v1/preview", query: queryOf(parameters), ...sketchBody(sketch), read: readBlob };
}

/**
 * By the photo's own path with `view=similar`, which holds for ids that end as routes do, too.
 *
 * @param {string} photoId
 * @param {SimilarParameters} [parameters]
 * @returns {Call<SearchAnswer>}
 */
export function similar(photoId, parameters = {}) {
  return { method: "GET", path: `/v1/photos/${quoted(photoId)}`, query: queryOf({ view: "similar", ...parameters }), read: jsonWith("results") };
}
