/**
 * Calls that search.
 *
 * @import { Call } from "../call.js"
 * @import { Sketch } from "../inputs.js"
 * @import { BatchAnswer, BatchParameters, PreviewParameters, SearchAnswer, SearchParameters, SimilarParameters } from "../schemas.js"
 * @typedef {object} Embedding   of a sketch, of length 1
 * @property {string} bundle   `bundle_id` of the encoder's bundle
 * @property {ArrayLike<number>} vector
 * @property {ArrayLike<number>} [mirrored]   of the mirrored drawing
 */

import { jsonWith, pathOfPhoto, queryOf, readPicture } from "../call.js";
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

/** @param {Sketch} sketch @param {PreviewParameters} [parameters] @returns {Call<Blob>} a PNG */
export function preview(sketch, parameters = {}) {
  return { method: "POST", path: "/v1/preview", query: queryOf(parameters), ...sketchBody(sketch), read: readPicture };
}

/** @param {string} photoId @param {SimilarParameters} [parameters] @returns {Call<SearchAnswer>} */
export function similar(photoId, parameters = {}) {
  return { method: "GET", path: pathOfPhoto(photoId), query: queryOf({ view: "similar", ...parameters }), read: jsonWith("results") };
}
