/**
 * The client of jobs and versions, for those who may change photos.
 *
 * @typedef {{job_id: string, kind: "photos" | "rebuild", state: "queued" | "running" | "done" | "failed" | "cancelled", stage: string,
 *   done: number, total: number | null, failed: number, detail: string, updated_at: string}} Job
 * @typedef {{version: string, created_at: string, photos: number, published: boolean, in_service: boolean}} Version
 */

import { requestJson } from "./request.js";

export class Jobs {
  /** @returns {Promise<Job[]>} the newest first */
  async list() {
    return (await requestJson("/v1/jobs")).jobs;
  }

  /** @param {string} jobId @returns {Promise<Job>} as it is then */
  async cancel(jobId) {
    return requestJson(`/v1/jobs/${encodeURIComponent(jobId)}:cancel`, { method: "POST" });
  }

  /** @returns {Promise<{versions: Version[], changes_pending: number}>} the newest first */
  async versions() {
    return requestJson("/v1/versions");
  }
}
