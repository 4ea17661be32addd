/**
 * The client of category adapters and style adapters.
 *
 * @typedef {{kind: "category" | "profile", name: string}} Target   what an adapter is for: a category, or a user's drawing
 *   style (a profile)
 * @typedef {{acc_at_1: number, mean_rank: number, mrr: number}} RankFigures   of the examples' own photos
 * @typedef {{adapter_id: string, version: number, k: number, margin: number | null,
 *   leave_one_out: {before: RankFigures, after: RankFigures}, state: "active" | "idle" | "stale", photos_added: string[],
 *   created_at: string}} Adapter
 * @typedef {{profile: string, active: string | null, adapters: number}} ProfileSummary
 */

import { request } from "./request.js";

/** Twenty pictures to send from a phone, to encode and to fit; a search needs none of that. */
const FIT_TIMEOUT_MS = 120_000;

export class Adapters {
  /** @param {Target} target @param {AbortSignal} [signal] @returns {Promise<{adapters: Adapter[], active: string | null}>} */
  async list(target, signal) {
    return (await request(adaptersUrl(target), { signal })).json();
  }

  /** @param {Target} target @param {FormData} form of the examples @returns {Promise<Adapter>} active, unless the gate rejected it */
  async fit(target, form) {
    return (await request(adaptersUrl(target), { method: "POST", body: form, timeout_ms: FIT_TIMEOUT_MS })).json();
  }

  /** Activates an adapter whatever the gate decided. @param {Target} target @param {string} adapterId @returns {Promise<Adapter>} */
  async activate(target, adapterId) {
    return (await request(`${adaptersUrl(target)}/${encodeURIComponent(adapterId)}:activate`, { method: "POST" })).json();
  }

  /** @param {Target} target @param {string} adapterId @param {{photos: boolean}} options photos: also those uploaded with it */
  async remove(target, adapterId, { photos }) {
    await request(`${adaptersUrl(target)}/${encodeURIComponent(adapterId)}${photos ? "?photos=true" : ""}`, { method: "DELETE" });
  }

  /** Activates the adapter before, or none. @param {Target} target @returns {Promise<{active: string | null}>} */
  async rollback(target) {
    return (await request(`${adaptersUrl(target)}:rollback`, { method: "POST" })).json();
  }

  /** @returns {Promise<ProfileSummary[]>} */
  async profiles() {
    return (await (await request("/v1/profiles", {})).json()).profiles;
  }
}

/** @param {Target} target @returns {string} */
function adaptersUrl({ kind, name }) {
  return `/v1/${kind === "category" ? "categories" : "profiles"}/${encodeURIComponent(name)}/adapters`;
}
