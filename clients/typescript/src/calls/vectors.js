/**
 * Calls of those who encode sketches themselves.
 *
 * @import { Call } from "../call.js"
 * @import { Embedding } from "./search.js"
 * @import { EncoderDescription, SearchAnswer, VectorParameters } from "../schemas.js"
 */

import { blobOf, jsonWith, queryOf } from "../call.js";
import { toHalf } from "./half.js";

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
  return { method: "GET", path: `/v1/encoder/${encodeURIComponent(bundleId)}.onnx`, read: blobOf("application/"), slow: true };
}
