/**
 * Calls sent again where that may help.
 *
 * @import { Call } from "./call.js"
 * @import { InkseekClientError } from "./errors.js"
 * @import { Retries } from "./retries.js"
 * @import { SendOptions, SenderOptions } from "./sender.js"
 * @typedef {SenderOptions & {retries?: Partial<Retries>}} ClientOptions
 */

import { retriesOf, waitMs } from "./retries.js";
import { Sender } from "./sender.js";
import { reasonOf } from "./time_limit.js";

export class RetryingSender extends Sender {
  #retries;

  /**
   * @param {string} [url] as of Sender
   * @param {ClientOptions} [options] throws RangeError for retries that make no sense
   */
  constructor(url, options = {}) {
    super(url, options);
    this.#retries = retriesOf(options.retries);
  }

  /**
   * @override
   * @template T
   * @param {Call<T>} call
   * @param {SendOptions} [options] the signal ends waits, too
   * @returns {Promise<T>} its answer
   * @throws {InkseekClientError} or the reason of the `signal`
   */
  async send(call, options = {}) {
    for (let attempt = 1; ; attempt++) {
      try {
        return await super.send(call, options);
      } catch (error) {
        const ms = waitMs(this.#retries, error, attempt, call.idempotent ?? true);
        if (ms === null) throw error;
        await pause(ms, options.signal);
      }
    }
  }
}

/** @param {number} ms @param {AbortSignal | null} [signal] @returns {Promise<void>} rejects with the signal's reason when it aborts */
export function pause(ms, signal) {
  return new Promise((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer);
      reject(reasonOf(signal));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", abort);
      resolve();
    }, ms);
    if (signal?.aborted) abort();
    else signal?.addEventListener("abort", abort, { once: true });
  });
}
