/**
 * Calls about jobs, versions, and the service itself.
 *
 * @import { Call } from "../call.js"
 * @import { Info, Job, Jobs, Readiness, RebuildParameters, Versions } from "../schemas.js"
 */

import { jsonWith, queryOf } from "../call.js";

/** @param {RebuildParameters} [parameters] @returns {Call<Job>} */
export function rebuild(parameters = {}) {
  return { method: "POST", path: "/v1/index:rebuild", query: queryOf(parameters), read: jsonWith("job_id"), idempotent: false };
}

/** @returns {Call<Jobs>} */
export function jobs() {
  return { method: "GET", path: "/v1/jobs", read: jsonWith("jobs") };
}

/** @param {string} jobId @returns {Call<Job>} */
export function job(jobId) {
  return { method: "GET", path: `/v1/jobs/${encodeURIComponent(jobId)}`, read: jsonWith("job_id") };
}

/** A second one is answered that the job has ended. @param {string} jobId @returns {Call<Job>} */
export function cancel(jobId) {
  return { method: "POST", path: `/v1/jobs/${encodeURIComponent(jobId)}:cancel`, read: jsonWith("job_id"), idempotent: false };
}

/** @returns {Call<Versions>} */
export function versions() {
  return { method: "GET", path: "/v1/versions", read: jsonWith("versions") };
}

/** @returns {Call<Info>} */
export function info() {
  return { method: "GET", path: "/v1/info", read: jsonWith("limits") };
}

/** @returns {Call<Readiness>} */
export function ready() {
  return { method: "GET", path: "/readyz", read: jsonWith("status"), ofGallery: false };
}

/** @returns {Call<string>} */
export function metrics() {
  return { method: "GET", path: "/metrics", read: (response) => response.text(), ofGallery: false };
}
