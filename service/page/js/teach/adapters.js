/**
 * The client of what was taught: the adapters of a category, or of a person's drawing style (a profile).
 *
 * @typedef {{kind: "category" | "profile", name: string}} Subject
 * @typedef {{acc_at_1: number, mean_rank: number, mrr: number}} Ranks
 * @typedef {{adapter_id: string | null, version: number | null, k: number, margin: number | null,
 *   leave_one_out: {before: Ranks, after: Ranks}, state: "active" | "idle" | "stale", photos_added: string[],
 *   created_at: string}} Adapter
 * @typedef {{profile: string, active: string | null, adapters: number}} ProfileCount
 */

import { request } from "../search.js";

/** Twenty pictures to send from a phone, to encode and to fit; a search needs none of that. */
const TRAIN_TIMEOUT_MS = 120_000;

export class Adapters {
  /** @param {Subject} subject @param {AbortSignal} signal @returns {Promise<{adapters: Adapter[], active: string | null}>} */
  async list(subject, signal) {
    return (await request(adaptersUrl(subject), { signal })).json();
  }

  /** @param {Subject} subject @param {FormData} form @returns {Promise<Adapter>} in use, unless it would be worse than none */
  async train(subject, form) {
    return (await request(adaptersUrl(subject), { method: "POST", body: form, timeout_ms: TRAIN_TIMEOUT_MS })).json();
  }

  /** Use that one, whatever its figures. @param {Subject} subject @param {string} adapterId @returns {Promise<Adapter>} */
  async activate(subject, adapterId) {
    return (await request(`${adaptersUrl(subject)}/${encodeURIComponent(adapterId)}:activate`, { method: "POST" })).json();
  }

  /** @param {Subject} subject @param {string} adapterId @param {{photos: boolean}} options photos: those too that came with it */
  async remove(subject, adapterId, { photos }) {
    await request(`${adaptersUrl(subject)}/${encodeURIComponent(adapterId)}${photos ? "?photos=true" : ""}`, { method: "DELETE" });
  }

  /** Back to what was in use before. @param {Subject} subject @returns {Promise<{active: string | null}>} */
  async rollback(subject) {
    return (await request(`${adaptersUrl(subject)}:rollback`, { method: "POST" })).json();
  }

  /** @returns {Promise<ProfileCount[]>} */
  async profiles() {
    return (await (await request("/v1/profiles", {})).json()).profiles;
  }
}

/** @param {Subject} subject */
function adaptersUrl({ kind, name }) {
  return `/v1/${kind === "category" ? "categories" : "profiles"}/${encodeURIComponent(name)}/adapters`;
}
