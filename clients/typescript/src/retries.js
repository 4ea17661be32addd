/**
 * When a call is sent again, and after how many milliseconds: pure decisions, no clock and no network.
 *
 * @typedef {object} Retries
 * @property {number} attempts   of a call, the first included; 1: no call is sent twice
 * @property {number} maxWaitMs   the longest single wait; where Retry-After asks for a longer one, the error is thrown at once
 * @property {number} backoffMs   mean of the first wait without Retry-After; it doubles
 */

import { ServiceProblem, TryLater, Unreachable } from "./errors.js";

/** @type {Readonly<Retries>} */
export const DEFAULT_RETRIES = { attempts: 4, maxWaitMs: 30_000, backoffMs: 250 };

const AT_GATEWAY = [502, 504];
/** The work may have been done although its answer did not come: only what is idempotent is sent again. */
const OUTCOME_UNKNOWN = "deadline_exceeded";
/** Codes of Node.js for connections that were not made: the service cannot have seen the request. Browsers do not tell. */
const NEVER_SENT = ["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH", "UND_ERR_CONNECT_TIMEOUT"];

/** @param {Partial<Retries>} [given] @returns {Retries} with the defaults for the rest; throws RangeError when a bound makes no sense */
export function retriesOf(given = {}) {
  const retries = { ...DEFAULT_RETRIES, ...given };
  if (retries.attempts >= 1 && retries.maxWaitMs >= 0 && retries.backoffMs >= 0) return retries;
  throw new RangeError("attempts is at least 1, maxWaitMs and backoffMs are not negative");
}

/**
 * @param {Retries} retries
 * @param {unknown} error that an attempt ended with
 * @param {number} attempt how many there were, from 1
 * @param {boolean} idempotent whether the call may be sent again when nobody knows whether it arrived
 * @param {() => number} [random] in [0, 1): the jitter that keeps clients from coming back together
 * @returns {number | null} milliseconds until the next attempt; null: throw `error`
 */
export function waitMs(retries, error, attempt, idempotent, random = Math.random) {
  if (attempt >= retries.attempts || !mayRepeat(error, idempotent)) return null;
  const askedMs = error instanceof ServiceProblem ? error.retryAfterMs : null;
  if (askedMs !== null) return askedMs <= retries.maxWaitMs ? askedMs : null;
  return Math.min(retries.maxWaitMs, random() * 2 * retries.backoffMs * 2 ** (attempt - 1));
}

/** @param {unknown} error @param {boolean} idempotent @returns {boolean} */
function mayRepeat(error, idempotent) {
  if (error instanceof TryLater) return idempotent || error.code !== OUTCOME_UNKNOWN;
  if (error instanceof ServiceProblem) return idempotent && AT_GATEWAY.includes(error.status);
  return error instanceof Unreachable && (idempotent || wasNeverSent(error.cause));
}

/** @param {any} failure of fetch @returns {boolean} */
function wasNeverSent(failure) {
  return NEVER_SENT.includes(failure?.cause?.code ?? failure?.code);
}
