/**
 * The client of searches, photos and categories.
 *
 * @typedef {{photo_id: string, category: string, score: number, rank: number, thumbnail_url: string,
 *   image_url: string, metadata: Record<string, unknown>, mirrored?: boolean, confidence?: number | null}} Hit   mirrored: the
 *   mirrored drawing matched; confidence: the probability that it is right, null where that is not known
 * @typedef {{results: Hit[], no_good_match?: boolean | null, adapter_id?: string | null, style_adapter_id?: string | null, bundle_id: string,
 *   index_version: string, timings_ms: Record<string, number>}} Answer
 * @typedef {{photo_id: string, thumbnail_url: string, width?: number, height?: number, metadata?: Record<string, unknown>}} Photo
 * @typedef {{k: number, categories: readonly string[], profile?: string | null, adapt?: boolean}} Scope   profile: the style
 *   adapter of that profile moves the query; adapt false: the active category adapter is left out
 * @typedef {{category: string, count: number}} CategoryCount
 */

import { request } from "./request.js";
import { answeredUrl } from "./root.js";

export class Client {
  /** @param {Blob} png @param {Scope} scope @param {AbortSignal} signal @returns {Promise<Answer>} */
  async search(png, scope, signal) {
    return withUrls(await (await request(`/v1/search?${scopeQuery(scope)}`, { method: "POST", body: png, signal })).json());
  }

  /** @param {string} photoId @param {Scope} scope @param {AbortSignal} signal @returns {Promise<Answer>} */
  async similar(photoId, { k, categories }, signal) {
    return withUrls(await (await request(`${photoUrl(photoId)}/similar?${scopeQuery({ k, categories })}`, { signal })).json());
  }

  /** @param {Blob} png @param {AbortSignal} signal @returns {Promise<Blob>} what the model sees, a PNG */
  async preview(png, signal) {
    return (await request("/v1/preview", { method: "POST", body: png, signal })).blob();
  }

  /** @param {string} photoId @param {AbortSignal} [signal] @returns {Promise<Photo>} */
  async photo(photoId, signal) {
    /** @type {Photo} */
    const photo = await (await request(photoUrl(photoId), { signal })).json();
    return { ...photo, thumbnail_url: answeredUrl(photo.thumbnail_url) };
  }

  /** @returns {Promise<{adaptation_id: string | null, access: string[]}>} adaptation_id null: the bundle cannot be adapted; access:
   *   the scopes of the user */
  async info() {
    return (await request("/v1/info", {})).json();
  }

  /** @returns {Promise<{categories: CategoryCount[], total: number}>} */
  async categories() {
    return (await request("/v1/categories", {})).json();
  }
}

/** @param {Answer} answer @returns {Answer} the same with URLs that hold from this page */
function withUrls(answer) {
  const results = answer.results.map((hit) => ({
    ...hit,
    thumbnail_url: answeredUrl(hit.thumbnail_url),
    image_url: answeredUrl(hit.image_url),
  }));
  return { ...answer, results };
}

/** @param {string} photoId a path: its slashes stay, all else is escaped @returns {string} */
function photoUrl(photoId) {
  return `/v1/photos/${photoId.split("/").map(encodeURIComponent).join("/")}`;
}

/** @param {Scope} scope @returns {URLSearchParams} */
function scopeQuery({ k, categories, profile = null, adapt = true }) {
  const query = new URLSearchParams([["k", String(k)], ...categories.map((category) => ["category", category])]);
  if (profile !== null) query.set("profile", profile);
  if (!adapt) query.set("adapt", "false");
  return query;
}
