/** One request to the service, with the user's key, a time limit and typed errors. */

import { keyHeaders, reportProblem } from "./key.js";
import { Problem, Unreachable } from "./problem.js";
import { isOfApi, routeUrl } from "./root.js";

const TIMEOUT_MS = 20_000;

/**
 * @param {string} address a short route, such as `/v1/search`, or the URL of something that an answer named
 * @param {Omit<RequestInit, "headers"> & {timeout_ms?: number}} init
 * @returns {Promise<Response>}
 * @throws {Problem | Unreachable}
 */
export async function request(address, { signal, timeout_ms = TIMEOUT_MS, ...init }) {
  const timeout = AbortSignal.timeout(timeout_ms);
  const either = signal ? AbortSignal.any([signal, timeout]) : timeout;
  const response = await fetch(isOfApi(address) ? address : routeUrl(address), { ...init, headers: keyHeaders(), signal: either }).catch(unanswered);
  if (response.ok) return response;
  const problem = await Problem.from(response);
  reportProblem(problem);
  throw problem;
}

/** @param {unknown} error of fetch @returns {never} throws an AbortError as it is */
function unanswered(error) {
  const name = error instanceof Error || error instanceof DOMException ? error.name : "";
  if (name === "AbortError") throw error;
  throw new Unreachable(name === "TimeoutError" ? "The service did not answer in time." : "The service cannot be reached.", { cause: error });
}
