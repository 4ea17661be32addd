/**
 * The client of category adapters and style adapters.
 *
 * @typedef {{kind: "category" | "profile", name: string}} Target   what an adapter is for: a category, or a user's drawing
 *   style (a profile)
 * @typedef {{pairs: import("../inkseek_client/inputs.js").Pair[], photos: (string | File)[]}} Examples   photos: those that nobody drew
 * @typedef {import("../inkseek_client/schemas.js").RankFigures} RankFigures   of the examples' own photos
 * @typedef {import("../inkseek_client/schemas.js").Adapter & {adapter_id: string, version: number}} Adapter   no dry run
 * @typedef {import("../inkseek_client/schemas.js").ProfileSummary} ProfileSummary
 */

import * as calls from "../inkseek_client/calls/adapters.js";
import { send } from "./request.js";

/** Twenty pictures to send from a phone, to encode and to fit; a search needs none of that. */
const FIT_TIMEOUT_MS = 120_000;

export class Adapters {
  /** @param {Target} target @param {AbortSignal} [signal] @returns {Promise<{adapters: Adapter[], active: string | null}>} */
  async list(target, signal) {
    const { adapters, active = null } = await send(calls.list(targetOf(target)), { signal });
    return { adapters: /** @type {Adapter[]} */ (adapters), active };
  }

  /** @param {Target} target @param {Examples} examples @returns {Promise<Adapter>} active, unless the gate rejected it */
  async fit(target, { pairs, photos }) {
    return /** @type {Adapter} */ (await send(calls.fit(targetOf(target), pairs, photos), { timeoutMs: FIT_TIMEOUT_MS }));
  }

  /** Activates an adapter whatever the gate decided. @param {Target} target @param {string} adapterId @returns {Promise<Adapter>} */
  async activate(target, adapterId) {
    return /** @type {Adapter} */ (await send(calls.activate(targetOf(target), adapterId)));
  }

  /** @param {Target} target @param {string} adapterId @param {{photos: boolean}} options photos: also those uploaded with it */
  async remove(target, adapterId, { photos }) {
    await send(calls.remove(targetOf(target), adapterId, photos ? { photos } : {}));
  }

  /** Activates the adapter before, or none. @param {Target} target */
  async rollback(target) {
    await send(calls.rollback(targetOf(target)));
  }

  /** @returns {Promise<ProfileSummary[]>} */
  async profiles() {
    return (await send(calls.profiles())).profiles;
  }
}

/** @param {Target} target @returns {import("../inkseek_client/inputs.js").Target} as the client has it */
function targetOf({ kind, name }) {
  return kind === "category" ? name : { profile: name };
}
