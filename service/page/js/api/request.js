/** One request to the service, with a time limit and typed errors. */

import { Problem, Unreachable } from "./problem.js";

const TIMEOUT_MS = 20_000;

/**
 * @param {string} url
 * @param {RequestInit & {timeout_ms?: number}} init
 * @returns {Promise<Response>}
 * @throws {Problem | Unreachable}
 */
export async function request(url, { signal, timeout_ms = TIMEOUT_MS, ...init }) {
  const timeout = AbortSignal.timeout(timeout_ms);
  const response = await fetch(url, { ...init, signal: signal ? AbortSignal.any([signal, timeout]) : timeout }).catch(unanswered);
  if (!response.ok) throw await Problem.from(response);
  return response;
}

/** @param {unknown} error of fetch @returns {never} throws an AbortError as it is */
function unanswered(error) {
  const name = error instanceof Error || error instanceof DOMException ? error.name : "";
  if (name === "AbortError") throw error;
  throw new Unreachable(name === "TimeoutError" ? "The service did not answer in time." : "The service cannot be reached.", { cause: error });
}
