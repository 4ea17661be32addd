/**
 * The client of what was taught: the heads of a category, or of a person's drawing style (a profile).
 *
 * @typedef {{kind: "category" | "profile", name: string}} Subject
 * @typedef {{acc_at_1: number, mean_rank: number, mrr: number}} Ranks
 * @typedef {{head_id: string | null, version: number | null, k: number, margin: number | null,
 *   leave_one_out: {before: Ranks, after: Ranks}, state: "live" | "idle" | "stale", photos_added: string[],
 *   created_at: string}} Head
 * @typedef {{profile: string, live: string | null, heads: number}} ProfileCount
 */

import { request } from "../search.js";

/** Twenty pictures to send from a phone, to encode and to fit; a search needs none of that. */
const TRAIN_TIMEOUT_MS = 120_000;

export class Heads {
  /** @param {Subject} subject @param {AbortSignal} signal @returns {Promise<{heads: Head[], live: string | null}>} */
  async list(subject, signal) {
    return (await request(headsUrl(subject), { signal })).json();
  }

  /** @param {Subject} subject @param {FormData} form @returns {Promise<Head>} in use, unless it would be worse than none */
  async train(subject, form) {
    return (await request(headsUrl(subject), { method: "POST", body: form, timeout_ms: TRAIN_TIMEOUT_MS })).json();
  }

  /** Use that one, whatever its figures. @param {Subject} subject @param {string} headId @returns {Promise<Head>} */
  async activate(subject, headId) {
    return (await request(`${headsUrl(subject)}/${encodeURIComponent(headId)}:activate`, { method: "POST" })).json();
  }

  /** @param {Subject} subject @param {string} headId @param {{photos: boolean}} options photos: those too that came with it */
  async remove(subject, headId, { photos }) {
    await request(`${headsUrl(subject)}/${encodeURIComponent(headId)}${photos ? "?photos=true" : ""}`, { method: "DELETE" });
  }

  /** Back to what was in use before. @param {Subject} subject @returns {Promise<{live: string | null}>} */
  async rollback(subject) {
    return (await request(`${headsUrl(subject)}:rollback`, { method: "POST" })).json();
  }

  /** @returns {Promise<ProfileCount[]>} */
  async profiles() {
    return (await (await request("/v1/profiles", {})).json()).profiles;
  }
}

/** @param {Subject} subject */
function headsUrl({ kind, name }) {
  return `/v1/${kind === "category" ? "categories" : "profiles"}/${encodeURIComponent(name)}/heads`;
}
