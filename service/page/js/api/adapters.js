/**
 * The client of category adapters and style adapters.
 *
 * @typedef {{kind: "category" | "profile", name: string}} Target   what an adapter is for: a category, or a user's drawing
 *   style (a profile)
 * @typedef {{acc_at_1: number, mean_rank: number, mrr: number}} RankFigures   of the examples' own photos
 * @typedef {{adapter_id: string, version: number, k: number, margin: number | null,
 *   leave_one_out: {before: RankFigures, after: RankFigures, expected?: {gain: number, deviation: number} | null},
 *   state: "active" | "idle" | "stale", photos_added: string[], created_at: string}} Adapter
 * @typedef {{profile: string, active: string | null, adapters: number}} ProfileSummary
 */

import { request, requestJson } from "./request.js";

/** Twenty pictures to send from a phone, to encode and to fit; a search needs none of that. */
const FIT_TIMEOUT_MS = 120_000;

export class Adapters {
  /** @param {Target} target @param {AbortSignal} [signal] @returns {Promise<{adapters: Adapter[], active: string | null}>} */
  async list(target, signal) {
    return requestJson(adaptersUrl(target), { signal });
  }

  /** @param {Target} target @param {FormData} form of the examples @returns {Promise<Adapter>} active, unless the gate rejected it */
  async fit(target, form) {
    return requestJson(adaptersUrl(target), { method: "POST", body: form, timeout_ms: FIT_TIMEOUT_MS });
  }

  /** Activates an adapter whatever the gate decided. @param {Target} target @param {string} adapterId @returns {Promise<Adapter>} */
  async activate(target, adapterId) {
    return requestJson(`${adaptersUrl(target)}/${encodeURIComponent(adapterId)}:activate`, { method: "POST" });
  }

  /** @param {Target} target @param {string} adapterId @param {{photos: boolean}} options photos: also those uploaded with it */
  async remove(target, adapterId, { photos }) {
    await request(`${adaptersUrl(target)}/${encodeURIComponent(adapterId)}${photos ? "?photos=true" : ""}`, { method: "DELETE" }, async () => {});
  }

  /** Activates the adapter before, or none. @param {Target} target @returns {Promise<{active: string | null}>} */
  async rollback(target) {
    return requestJson(`${adaptersUrl(target)}:rollback`, { method: "POST" });
  }

  /** @returns {Promise<ProfileSummary[]>} */
  async profiles() {
    return (await requestJson("/v1/profiles")).profiles;
  }
}

/** @param {Target} target @returns {string} */
function adaptersUrl({ kind, name }) {
  return `/v1/${kind === "category" ? "categories" : "profiles"}/${encodeURIComponent(name)}/adapters`;
}
