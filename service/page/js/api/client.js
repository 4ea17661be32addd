/**
 * The client of searches, photos and categories.
 *
 * @typedef {{photo_id: string, category: string, score: number, rank: number, thumbnail_url: string,
 *   image_url: string, metadata: Record<string, unknown>, mirrored?: boolean, confidence?: number | null, duplicates?: Duplicate[]}} Hit   mirrored: the
 *   mirrored drawing matched; confidence: the probability that it is right, null where that is not known; duplicates: photos that
 *   look the same, where they are grouped
 * @typedef {{photo_id: string, category: string, score: number, thumbnail_url: string, image_url: string, metadata: Record<string, unknown>}} Duplicate
 * @typedef {{results: Hit[], no_good_match?: boolean | null, adapter_id?: string | null, style_adapter_id?: string | null, bundle_id: string,
 *   index_version: string, timings_ms: Record<string, number>}} Answer
 * @typedef {{photo_id: string, thumbnail_url: string, width?: number, height?: number, metadata?: Record<string, unknown>}} Photo
 * @typedef {{k: number, categories: readonly string[], filters?: readonly string[], focus?: "balanced" | null, profile?: string | null, adapt?: boolean, group?: boolean}} Scope
 *   filters: conditions such as "price<=9"; focus: what to compare by, null as the service does by itself; profile: the style adapter of that profile moves the query; adapt false: the active
 *   category adapter is left out; group: photos that look the same are one result
 * @typedef {{category: string, count: number}} CategoryCount
 */

import { requestBlob, requestJson } from "./request.js";
import { answeredUrl } from "./root.js";

export class Client {
  /** @param {Blob} png @param {Scope} scope @param {AbortSignal} signal @returns {Promise<Answer>} */
  async search(png, scope, signal) {
    return withUrls(await requestJson(`/v1/search?${scopeQuery(scope)}`, { method: "POST", body: png, signal }));
  }

  /** @param {string} photoId @param {Scope} scope @param {AbortSignal} signal @returns {Promise<Answer>} */
  async similar(photoId, { k, categories, filters, group }, signal) {
    return withUrls(await requestJson(`${photoUrl(photoId)}?view=similar&${scopeQuery({ k, categories, filters, group })}`, { signal }));
  }

  /** @param {Blob} png @param {AbortSignal} signal @returns {Promise<Blob>} what the model sees, a PNG */
  async preview(png, signal) {
    return requestBlob("/v1/preview", { method: "POST", body: png, signal });
  }

  /** @param {string} photoId @param {AbortSignal} [signal] @returns {Promise<Photo>} */
  async photo(photoId, signal) {
    /** @type {Photo} */
    const photo = await requestJson(photoUrl(photoId), { signal });
    return { ...photo, thumbnail_url: answeredUrl(photo.thumbnail_url) };
  }

  /** @returns {Promise<{adaptation_id: string | null, access: string[]}>} adaptation_id null: the bundle cannot be adapted; access:
   *   the scopes of the user */
  async info() {
    return requestJson("/v1/info");
  }

  /** @returns {Promise<string[]>} the names of all galleries of the service that the user may see */
  async galleries() {
    /** @type {{galleries: {gallery: string}[]}} */
    const { galleries } = await requestJson("/v1/galleries", { ofService: true });
    return galleries.map(({ gallery }) => gallery);
  }

  /** @returns {Promise<{categories: CategoryCount[], total: number}>} */
  async categories() {
    return requestJson("/v1/categories");
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

/** @param {string} photoId a path: its slashes stay, all else is escaped @returns {string} */
function photoUrl(photoId) {
  return `/v1/photos/${photoId.split("/").map(encodeURIComponent).join("/")}`;
}

/** @param {Scope} scope @returns {URLSearchParams} */
function scopeQuery({ k, categories, filters = [], focus = null, profile = null, adapt = true, group = false }) {
  const query = new URLSearchParams([["k", String(k)], ...categories.map((category) => ["category", category])]);
  for (const filter of filters) query.append("filter", filter);
  if (focus !== null && categories.length === 1) query.set("focus", focus);
  if (profile !== null) query.set("profile", profile);
  if (!adapt) query.set("adapt", "false");
  if (group) query.set("group_duplicates", "true");
  return query;
}
