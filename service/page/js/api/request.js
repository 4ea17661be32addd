/** One request to the service, with the user's key, a time limit and typed errors. */

import { withTimeout } from "../features.js";
import { text } from "../texts.js";
import { keyHeaders, reportProblem } from "./key.js";
import { Problem, SignedOut, Unreachable } from "./problem.js";
import { isOfApi, routeUrl } from "./root.js";

const TIMEOUT_MS = 20_000;
const HTML = /^(?:text\/html|application\/xhtml\+xml)/i;
/** Of a proxy that asks who one is, and does not speak the service's JSON. */
const SIGN_IN_STATUSES = new Set([401, 403, 407, 511]);

/** @type {(error: SignedOut) => void} */
let listener = () => {};

/** @param {(error: SignedOut) => void} heard when a request is answered by something in front of the service */
export function onSignedOut(heard) {
  listener = heard;
}

/** @typedef {Omit<RequestInit, "headers"> & {timeout_ms?: number, ofService?: boolean}} Init   ofService: whatever the page's gallery is */

/**
 * @template T
 * @param {string} address a short route, such as `/v1/search`, or the URL of something that an answer named
 * @param {Init} init
 * @param {(response: Response) => Promise<T>} read reads the answer, within the time limit
 * @returns {Promise<T>}
 * @throws {Problem | Unreachable} or an AbortError of the `signal`
 */
export async function request(address, { signal, timeout_ms = TIMEOUT_MS, ofService = false, ...init }, read) {
  const limit = withTimeout(signal, timeout_ms);
  try {
    // The service redirects nobody: whoever does is a proxy that wants its login page to be seen.
    const options = /** @type {RequestInit} */ ({ ...init, headers: keyHeaders(), redirect: "manual", signal: limit.signal });
    return await read(await checked(await fetch(isOfApi(address) ? address : routeUrl(address, { ofService }), options)));
  } catch (error) {
    throw typed(error, limit.timedOut());
  } finally {
    limit.done();
  }
}

/** @param {string} address @param {Init} [init] @returns {Promise<any>} the answer's JSON */
export function requestJson(address, init = {}) {
  return request(address, init, (response) => response.json());
}

/** @param {string} address @param {Init} [init] @returns {Promise<Blob>} */
export function requestBlob(address, init = {}) {
  return request(address, init, (response) => response.blob());
}

/** @param {Response} response @returns {Promise<Response>} the same, if the service answered with success */
async function checked(response) {
  const html = HTML.test(response.headers.get("Content-Type") ?? "");
  const asks = response.type === "opaqueredirect" || (html && (response.ok || SIGN_IN_STATUSES.has(response.status)));
  if (asks) throw signedOut();
  if (response.ok) return response;
  const problem = await Problem.from(response);
  if (problem.status === 401 && !problem.code) throw signedOut();
  reportProblem(problem);
  throw problem;
}

function signedOut() {
  const error = new SignedOut();
  listener(error);
  return error;
}

/** @param {unknown} error of fetch, or of this module @param {boolean} timedOut @returns {unknown} an AbortError stays as it is */
function typed(error, timedOut) {
  if (error instanceof Problem || (isAbort(error) && !timedOut)) return error;
  if (error instanceof SyntaxError) return new Unreachable(text("unreachable.garbled"), { cause: error });
  return new Unreachable(text(timedOut ? "unreachable.late" : "unreachable.gone"), { cause: error });
}

/** @param {unknown} error @returns {boolean} */
function isAbort(error) {
  return (error instanceof Error || error instanceof DOMException) && error.name === "AbortError";
}
