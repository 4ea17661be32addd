/** Jobs, versions, keys, and what is being served. */

import * as keyCalls from "../calls/keys.js";
import * as calls from "../calls/operation.js";
import { JobFailed, TimedOut } from "../errors.js";
import { pause } from "../retrying_sender.js";
import { AdapterCalls } from "./adapters.js";
import { parametersOf } from "./parameters.js";

/**
 * @import { Info, Job, Jobs, Keys, MadeKey, NewKey, Readiness, RebuildParameters, Versions } from "../schemas.js"
 * @import { SendOptions } from "../sender.js"
 * @typedef {object} WaitOptions
 * @property {number} [timeoutMs]   of the whole wait, an hour by default; the job goes on
 * @property {number} [pollMs]   between two looks
 * @property {(done: number, total: number | null) => void} [progress]   called with items done, and of how many
 * @property {AbortSignal | null} [signal]
 */

const HOUR_MS = 3_600_000;
const POLL_MS = 500;
const OVER = ["done", "failed", "cancelled"];

export class Operation extends AdapterCalls {
  /**
   * @param {RebuildParameters & SendOptions} [options] photos: also compare the gallery's folder
   * @returns {Promise<Job>} that brings the index up to date
   */
  rebuildIndex(options = {}) {
    return this.send(calls.rebuild(parametersOf(options)), options);
  }

  /** @param {SendOptions} [options] @returns {Promise<Jobs>} that wait or run, and the last hundred, the newest first */
  jobs(options) {
    return this.send(calls.jobs(), options);
  }

  /** @param {string} jobId @param {SendOptions} [options] @returns {Promise<Job>} how far it is, and which items failed */
  job(jobId, options) {
    return this.send(calls.job(jobId), options);
  }

  /** What it has changed stays. @param {string} jobId @param {SendOptions} [options] @returns {Promise<Job>} throws Conflict when it is over */
  cancelJob(jobId, options) {
    return this.send(calls.cancel(jobId), options);
  }

  /**
   * @param {Job | string} job or its id
   * @param {WaitOptions} [options]
   * @returns {Promise<Job>} once it is done; `problems` of it lists items that changed nothing; throws JobFailed, also where it was
   *   cancelled, and TimedOut
   */
  async waitFor(job, { timeoutMs = HOUR_MS, pollMs = POLL_MS, progress, signal } = {}) {
    const jobId = typeof job === "string" ? job : job.job_id;
    const end = Date.now() + timeoutMs;
    for (;;) {
      const now = await this.job(jobId, { signal });
      progress?.(now.done, now.total ?? null);
      if (now.state === "done") return now;
      if (OVER.includes(now.state)) throw new JobFailed(now);
      if (Date.now() >= end) throw new TimedOut(`job ${jobId} is still ${now.state}: ${now.done} of ${now.total ?? "?"} done`);
      await pause(pollMs, signal);
    }
  }

  /** @param {SendOptions} [options] @returns {Promise<Versions>} of the index that are kept, the newest first */
  versions(options) {
    return this.send(calls.versions(), options);
  }

  /** @param {SendOptions} [options] @returns {Promise<Info>} limits, filterable metadata; `access`: what the key may do */
  info(options) {
    return this.send(calls.info(), options);
  }

  /** @param {SendOptions} [options] @returns {Promise<Readiness>} throws TryLater where sketches are not answered right */
  ready(options) {
    return this.send(calls.ready(), options);
  }

  /** @param {SendOptions} [options] @returns {Promise<string>} of Prometheus; needs a key with the scope `admin` where there are keys */
  metrics(options) {
    return this.send(calls.metrics(), options);
  }

  /** @param {SendOptions} [options] @returns {Promise<Keys>} what each grants and what is left of its limits, never a secret; needs a key with the scope `admin` */
  keys(options) {
    return this.send(keyCalls.keys(), options);
  }

  /**
   * Makes a key; the client's own needs its scopes and galleries. It is never made twice for one call: when the connection breaks in
   * the middle, Unreachable is thrown and `keys` tells.
   *
   * @param {NewKey} key whom it is for, its scopes, and what limits it
   * @param {SendOptions} [options]
   * @returns {Promise<MadeKey>} `key` of it is what has to be sent, shown this once
   */
  createKey(key, options) {
    return this.send(keyCalls.create(key), options);
  }

  /** Revokes a key for good, within a second; throws NotFound. @param {string} keyId @param {SendOptions} [options] */
  revokeKey(keyId, options) {
    return this.send(keyCalls.revoke(keyId), options);
  }
}
