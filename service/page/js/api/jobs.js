/**
 * The client of jobs and versions, for those who may change photos.
 *
 * @typedef {import("../inkseek_client/schemas.js").Job} Job
 * @typedef {import("../inkseek_client/schemas.js").Version} Version
 */

import * as calls from "../inkseek_client/calls/operation.js";
import { send } from "./request.js";

export class Jobs {
  /** @returns {Promise<Job[]>} the newest first */
  async list() {
    return (await send(calls.jobs())).jobs;
  }

  /** @param {string} jobId @returns {Promise<Job>} as it is then */
  async cancel(jobId) {
    return send(calls.cancel(jobId));
  }

  /** @returns {Promise<{versions: Version[], changes_pending: number}>} the newest first */
  async versions() {
    return send(calls.versions());
  }
}
