/**
 * The client of searches, photos and categories.
 *
 * @typedef {import("../inkseek_client/schemas.js").Hit} Hit   mirrored: the mirrored drawing matched; confidence: the probability
 *   that it is right; duplicates: photos that look the same, where they are grouped
 * @typedef {import("../inkseek_client/schemas.js").SearchAnswer} Answer
 * @typedef {Pick<import("../inkseek_client/schemas.js").Photo, "photo_id" | "thumbnail_url"> & Partial<import("../inkseek_client/schemas.js").Photo>} Photo
 * @typedef {{k: number, categories: readonly string[], filters?: readonly string[], focus?: "balanced" | null, profile?: string | null, adapt?: boolean, group?: boolean, words?: string}} Scope
 *   filters: conditions such as "price<=9"; focus: what to compare by, null as the service does by itself; profile: the style adapter of that profile moves the query; adapt false: the active
 *   category adapter is left out; group: photos that look the same are one result; words: that the photos have
 * @typedef {import("../inkseek_client/schemas.js").CategoryCount} CategoryCount
 */

import * as operation from "../inkseek_client/calls/operation.js";
import * as photos from "../inkseek_client/calls/photos.js";
import * as searches from "../inkseek_client/calls/search.js";
import { answeredUrl, send } from "./request.js";

export class Client {
  /** @param {Blob} png @param {Scope} scope @param {AbortSignal} signal @returns {Promise<Answer>} */
  async search(png, scope, signal) {
    return withUrls(await send(searches.search(png, parametersOf(scope)), { signal }));
  }

  /** @param {string} photoId @param {Scope} scope @param {AbortSignal} signal @returns {Promise<Answer>} */
  async similar(photoId, { k, categories, filters, group, words }, signal) {
    return withUrls(await send(searches.similar(photoId, parametersOf({ k, categories, filters, group, words })), { signal }));
  }

  /** @param {Scope} scope @param {AbortSignal} signal @returns {Promise<Answer>} without a drawing: the photos that have the words, unscored */
  async list({ k, categories, filters, words }, signal) {
    const { photos: results } = await send(photos.list({ limit: k, category: categories, filter: filters, text: words }), { signal });
    return withUrls(/** @type {Answer} */ (/** @type {unknown} */ ({ results, timings_ms: {} })));
  }

  /** @param {Blob} png @param {Scope} scope @param {AbortSignal} signal @returns {Promise<Blob>} what the model sees, a PNG */
  async preview(png, { categories, focus }, signal) {
    return send(searches.preview(png, parametersOf({ categories, focus })), { signal });
  }

  /** @param {string} photoId @param {AbortSignal} [signal] @returns {Promise<Photo>} */
  async photo(photoId, signal) {
    const photo = await send(photos.record(photoId), { signal });
    return { ...photo, thumbnail_url: answeredUrl(photo.thumbnail_url) };
  }

  /** @returns {Promise<{adaptation_id: string | null, access: string[], feedback?: boolean}>} adaptation_id null: the bundle cannot be
   *   adapted; access: the scopes of the user; feedback: whether the user's is collected */
  async info() {
    return send(operation.info());
  }

  /** @returns {Promise<string[]>} the names of all galleries of the service that the user may see */
  async galleries() {
    return (await send(photos.galleries())).galleries.map(({ gallery }) => gallery);
  }

  /** @returns {Promise<{categories: CategoryCount[], total: number}>} */
  async categories() {
    return send(photos.categories());
  }
}

/** @param {Answer} answer @returns {Answer} the same with URLs that hold from this page */
function withUrls(answer) {
  const results = answer.results.map((hit) => ({ ...withOwnUrls(hit), duplicates: hit.duplicates?.map(withOwnUrls) }));
  return { ...answer, results };
}

/** @template {{thumbnail_url: string, image_url: string}} T @param {T} photo @returns {T} */
function withOwnUrls(photo) {
  return { ...photo, thumbnail_url: answeredUrl(photo.thumbnail_url), image_url: answeredUrl(photo.image_url) };
}

/** @param {Omit<Scope, "k"> & {k?: number}} scope @returns {import("../inkseek_client/schemas.js").SearchParameters} as the API has them */
function parametersOf({ k, categories, filters, focus = null, profile = null, adapt = true, group = false, words }) {
  return {
    k,
    category: categories,
    filter: filters,
    focus: categories.length === 1 ? focus : null,
    profile,
    adapt: adapt ? undefined : false,
    group_duplicates: group || undefined,
    text: words || undefined,
  };
}
