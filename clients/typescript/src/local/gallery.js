/**
 * A gallery that is searched here, without a service: the vectors of some hundred or thousand photos.
 *
 * @import { Embedding } from "../calls/search.js"
 * @typedef {{row: number, score: number, mirrored: boolean}} LocalHit   the cosine; of the mirrored drawing where that is higher
 */

import { fromHalf } from "../calls/half.js";

export class LocalGallery {
  #vectors;

  /**
   * @param {string} bundleId of the bundle whose photo encoder made the vectors
   * @param {Uint8Array} vectors rows of length 1 in float16, as an index has them
   * @param {number} dimension numbers in a row
   */
  constructor(bundleId, vectors, dimension) {
    this.bundleId = bundleId;
    this.dimension = dimension;
    this.#vectors = fromHalf(vectors);
    if (this.#vectors.length % dimension) throw new RangeError(`${vectors.byteLength} bytes are no rows of ${dimension} numbers in float16`);
  }

  /** @returns {number} photos */
  get length() {
    return this.#vectors.length / this.dimension;
  }

  /**
   * @param {Embedding} embedding of the same bundle; one that has `mirrored` is compared both ways round
   * @param {number} k
   * @returns {LocalHit[]} the k best, best first, ties in the order of the rows; throws RangeError for another bundle's embedding
   */
  search({ bundle, vector, mirrored }, k) {
    if (bundle !== this.bundleId) throw new RangeError(`the embedding is of ${bundle}, the gallery of ${this.bundleId}`);
    const upright = this.#products(vector);
    const flipped = mirrored && this.#products(mirrored);
    const hits = Array.from(upright, (score, row) => {
      const other = flipped ? Number(flipped[row]) : -Infinity;
      return { row, score: Math.max(score, other), mirrored: other > score };
    });
    return hits.sort((a, b) => b.score - a.score || a.row - b.row).slice(0, k);
  }

  /** @param {ArrayLike<number>} vector @returns {Float32Array} its inner product with each row */
  #products(vector) {
    const out = new Float32Array(this.length);
    for (let row = 0, at = 0; row < out.length; row++) {
      let sum = 0;
      for (let n = 0; n < this.dimension; n++, at++) sum += Number(this.#vectors[at]) * Number(vector[n]);
      out[row] = sum;
    }
    return out;
  }
}
