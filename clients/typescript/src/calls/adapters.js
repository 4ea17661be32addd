/**
 * Calls about adapters and profiles.
 *
 * @import { Call } from "../call.js"
 * @import { Field, Pair, PhotoReference, Target } from "../inputs.js"
 * @import { Adapter, Adapters, DeletionParameters, Job, LightFitParameters, Profiles } from "../schemas.js"
 */

import { jsonWith, queryOf, quoted, readNothing } from "../call.js";
import { formOf, sketchField } from "../inputs.js";

/**
 * @param {Target} target
 * @param {Iterable<Pair>} pairs in order
 * @param {Iterable<PhotoReference>} [photos] further ones of a category, without a drawing
 * @param {LightFitParameters} [parameters]
 * @returns {Call<Adapter>}
 */
export function fit(target, pairs, photos = [], parameters = {}) {
  const fields = pairFields(pairs);
  for (const photo of photos) fields.push(photoField(photo));
  const idempotent = parameters.dry_run ?? false;
  return { method: "POST", path: pathOf(target), query: queryOf(parameters), body: formOf(fields), read: jsonWith("leave_one_out"), idempotent, slow: true };
}

/**
 * @param {string} category
 * @param {Iterable<Pair>} pairs in order
 * @param {LightFitParameters} [parameters]
 * @returns {Call<Job>}
 */
export function fitDeep(category, pairs, parameters = {}) {
  const query = queryOf({ ...parameters, depth: "deep" });
  return { method: "POST", path: pathOf(category), query, body: formOf(pairFields(pairs)), read: jsonWith("job_id"), idempotent: false };
}

/** @param {Target} target @returns {Call<Adapters>} */
export function list(target) {
  return { method: "GET", path: pathOf(target), read: jsonWith("adapters") };
}

/** @param {Target} target @param {string} adapterId @returns {Call<Adapter>} */
export function show(target, adapterId) {
  return { method: "GET", path: pathOf(target, adapterId), read: jsonWith("adapter_id") };
}

/** Activating twice changes nothing. @param {Target} target @param {string} adapterId @returns {Call<Adapter>} */
export function activate(target, adapterId) {
  return { method: "POST", path: `${pathOf(target, adapterId)}:activate`, read: jsonWith("adapter_id") };
}

/** Twice goes back twice. @param {Target} target @returns {Call<{active?: string | null}>} */
export function rollback(target) {
  return { method: "POST", path: `${pathOf(target)}:rollback`, read: jsonWith("active"), idempotent: false };
}

/** @param {Target} target @param {string} adapterId @param {DeletionParameters} [parameters] @returns {Call<void>} */
export function remove(target, adapterId, parameters = {}) {
  return { method: "DELETE", path: pathOf(target, adapterId), query: queryOf(parameters), read: readNothing };
}

/** @returns {Call<Profiles>} */
export function profiles() {
  return { method: "GET", path: "/v1/profiles", read: jsonWith("profiles") };
}

/** @param {Iterable<Pair>} pairs @returns {Field[]} */
function pairFields(pairs) {
  /** @type {Field[]} */
  const fields = [];
  for (const [sketch, photo] of pairs) fields.push(["sketch", sketchField(sketch)], photoField(photo));
  return fields;
}

/** @param {PhotoReference} photo @returns {Field} */
function photoField(photo) {
  return [typeof photo === "string" ? "photo_id" : "photo", photo];
}

/** @param {Target} target @param {string} [adapterId] @returns {string} */
function pathOf(target, adapterId) {
  const of = typeof target === "string" ? `categories/${quoted(target)}` : `profiles/${encodeURIComponent(target.profile)}`;
  return `/v1/${of}/adapters${adapterId === undefined ? "" : `/${encodeURIComponent(adapterId)}`}`;
}
