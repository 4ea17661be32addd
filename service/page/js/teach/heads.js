/**
 * The client of what was taught: the heads of a category, or of a person's drawing style (a profile).
 *
 * @typedef {{kind: "category" | "profile", name: string}} Subject
 * @typedef {{acc_at_1: number, mean_rank: number, mrr: number}} Ranks
 * @typedef {{head_id: string | null, version: number | null, k: number, margin: number | null, went_live: boolean,
 *   leave_one_out: {before: Ranks, after: Ranks}, reason: string, state: "live" | "idle" | "stale",
 *   photos_added: string[], created_at: string}} Head
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

  /** @param {Subject} subject @param {FormData} form @param {{force: boolean}} options @returns {Promise<Head>} */
  async train(subject, form, { force }) {
    const url = `${headsUrl(subject)}${force ? "?force=true" : ""}`;
    return (await request(url, { method: "POST", body: form, timeout_ms: TRAIN_TIMEOUT_MS })).json();
  }

  /** @param {Subject} subject @param {string} headId @returns {Promise<Head>} */
  async activate(subject, headId) {
    return (await request(`${headsUrl(subject)}/${encodeURIComponent(headId)}:activate`, { method: "POST" })).json();
  }

  /** @param {Subject} subject @param {string} headId */
  async remove(subject, headId) {
    await request(`${headsUrl(subject)}/${encodeURIComponent(headId)}`, { method: "DELETE" });
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
