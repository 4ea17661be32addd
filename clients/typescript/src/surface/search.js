/** Searching: one sketch, page after page, several sketches, and any number of them. */

import * as calls from "../calls/search.js";
import * as vectors from "../calls/vectors.js";
import { info } from "../calls/operation.js";
import { ServiceProblem, TooLarge, TryLater } from "../errors.js";
import { RetryingSender } from "../retrying_sender.js";
import { SketchAnswer, batchesOf, outcomesOf } from "./many.js";
import { itemsOf } from "./pages.js";
import { parametersOf } from "./parameters.js";

/**
 * @import { Embedding } from "../calls/search.js"
 * @import { ManyOptions } from "./many.js"
 * @import { Sketch } from "../inputs.js"
 * @import { BatchParameters, EncoderDescription, Hit, PreviewParameters, SearchAnswer, SearchParameters, SimilarParameters, VectorParameters } from "../schemas.js"
 * @import { SendOptions } from "../sender.js"
 */

/** Photos that an iteration requests at a time. */
const PAGE = 100;

export class SearchCalls extends RetryingSender {
  /**
   * @param {Sketch} sketch
   * @param {SearchParameters & SendOptions} [options] of the API, such as k (1 to 200), category, filter, min_score, focus
   * @returns {Promise<SearchAnswer>} the k photos most like it, best first
   */
  search(sketch, options = {}) {
    return this.send(calls.search(sketch, parametersOf(options)), options);
  }

  /**
   * @param {Sketch} sketch
   * @param {Omit<SearchParameters, "k" | "cursor"> & SendOptions & {page?: number}} [options] page: photos requested at a time
   * @returns {AsyncGenerator<Hit, void, undefined>} photos in the order of their ranks, requested as they are used; at most 10,000;
   *   throws CursorStale when the gallery changes in between
   */
  iterSearch(sketch, { page = PAGE, ...options } = {}) {
    return itemsOf(async (cursor) => pageOf(await this.search(sketch, { ...options, k: page, cursor })));
  }

  /**
   * @param {Embedding} embedding of a sketch that was encoded here; `@inkseek/client/local` makes them
   * @param {VectorParameters & SendOptions} [options]
   * @returns {Promise<SearchAnswer>} as `search`; throws Conflict where another bundle is in service
   */
  searchVector(embedding, options = {}) {
    return this.send(vectors.searchVector(embedding, parametersOf(options)), options);
  }

  /** @param {SendOptions} [options] @returns {Promise<EncoderDescription>} what it takes to encode a sketch */
  encoder(options) {
    return this.send(vectors.encoder(), options);
  }

  /** @param {string} bundleId @param {SendOptions} [options] @returns {Promise<Blob>} the encoder; throws NotFound where the operator does not give it away */
  encoderFile(bundleId, options) {
    return this.send(vectors.encoderFile(bundleId), options);
  }

  /**
   * @param {readonly Sketch[]} sketches at most `info().limits.max_batch_items`
   * @param {BatchParameters & SendOptions} [options]
   * @returns {Promise<(SearchAnswer | ServiceProblem)[]>} an answer or an error for each, from one request
   */
  async searchBatch(sketches, options = {}) {
    return outcomesOf(await this.send(calls.searchBatch(sketches, parametersOf(options)), options));
  }

  /**
   * @template {Sketch} T
   * @param {Iterable<T> | AsyncIterable<T>} sketches such as the files of an input; they are read as batches are sent
   * @param {ManyOptions} [options]
   * @returns {AsyncGenerator<SketchAnswer<T>, void, undefined>} one for each, in their order, from batches that the service's limits
   *   allow; a sketch that cannot be answered stops no other
   */
  async *searchMany(sketches, { progress, ...options } = {}) {
    const { limits } = await this.send(info(), options);
    const total = "length" in sketches && typeof sketches.length === "number" ? sketches.length : null;
    let done = 0;
    for await (const batch of batchesOf(sketches, limits.max_batch_items, limits.max_upload_bytes)) {
      const outcomes = await this.#outcomes(batch, options);
      for (const [number, sketch] of batch.entries()) {
        const outcome = /** @type {SearchAnswer | ServiceProblem} */ (outcomes[number]);
        // An item that met a full queue: the batch was answered, so that no retry has seen it.
        yield new SketchAnswer(sketch, outcome instanceof TryLater ? await this.#alone(sketch, options) : outcome);
      }
      done += batch.length;
      progress?.(done, total);
    }
  }

  /**
   * @param {Sketch} sketch
   * @param {PreviewParameters & SendOptions} [options]
   * @returns {Promise<Blob>} the sketch as the encoder sees it, a PNG
   */
  preview(sketch, options = {}) {
    return this.send(calls.preview(sketch, parametersOf(options)), options);
  }

  /**
   * @param {string} photoId
   * @param {SimilarParameters & SendOptions} [options]
   * @returns {Promise<SearchAnswer>} the k photos most like a photo of the gallery, itself left out
   */
  similar(photoId, options = {}) {
    return this.send(calls.similar(photoId, parametersOf(options)), options);
  }

  /**
   * @param {string} photoId
   * @param {Omit<SimilarParameters, "k" | "cursor"> & SendOptions & {page?: number}} [options]
   * @returns {AsyncGenerator<Hit, void, undefined>} as `iterSearch`, by a photo
   */
  iterSimilar(photoId, { page = PAGE, ...options } = {}) {
    return itemsOf(async (cursor) => pageOf(await this.similar(photoId, { ...options, k: page, cursor })));
  }

  /** @param {Sketch[]} batch @param {BatchParameters & SendOptions} options */
  async #outcomes(batch, options) {
    try {
      return await this.searchBatch(batch, options);
    } catch (error) {
      if (error instanceof TooLarge && batch.length === 1) return [error];
      throw error;
    }
  }

  /** @param {Sketch} sketch @param {BatchParameters & SendOptions} options */
  async #alone(sketch, options) {
    try {
      return await this.search(sketch, options);
    } catch (error) {
      if (error instanceof ServiceProblem) return error;
      throw error;
    }
  }
}

/** @param {SearchAnswer} answer */
function pageOf({ results, next_cursor: next }) {
  return { items: results, next };
}
