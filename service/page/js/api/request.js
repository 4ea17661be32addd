/** Calls of the client, with the user's key and the page's gallery; what goes wrong is said in the page's language. */

import { InkseekClientError, ServiceProblem, TimedOut, UnexpectedAnswer } from "../inkseek_client/errors.js";
import { Sender } from "../inkseek_client/sender.js";
import { text } from "../texts.js";
import { readKey, reportProblem } from "./key.js";
import { Problem, SignedOut, Unreachable } from "./problem.js";
import { GALLERY, SERVICE } from "./root.js";

/** Calls are sent once: whoever sends again says so on the page. */
const OPTIONS = { key: readKey, gallery: GALLERY, timeoutMs: 20_000 };
const HTML = /^(?:text\/html|application\/xhtml\+xml)/i;
/** Of a proxy that asks who one is, and does not speak the service's JSON. */
const SIGN_IN_STATUSES = new Set([401, 403, 407, 511]);
/** The code of an answer that is no problem document. */
const FOREIGN = "http_error";

const sender = new Sender(SERVICE, OPTIONS);
const patientSender = new Sender(SERVICE, { ...OPTIONS, fetch: (url, init) => fetch(url, /** @type {RequestInit} */ ({ ...init, priority: "low" })) });

/** @type {(error: SignedOut) => void} */
let listener = () => {};

/** @param {(error: SignedOut) => void} heard when a request is answered by something in front of the service */
export function onSignedOut(heard) {
  listener = heard;
}

/**
 * @template T
 * @param {import("../inkseek_client/call.js").Call<T>} call
 * @param {{signal?: AbortSignal, timeoutMs?: number, isPatient?: boolean}} [options] isPatient: whatever else is fetched comes first
 * @returns {Promise<T>}
 * @throws {Problem | Unreachable} or an AbortError of the `signal`
 */
export async function send(call, { isPatient = false, ...options } = {}) {
  try {
    return await (isPatient ? patientSender : sender).send(call, options);
  } catch (error) {
    throw error instanceof InkseekClientError ? translated(error) : error;
  }
}

/** @param {string} path of a picture, as an answer has it @returns {string} its URL */
export function answeredUrl(path) {
  return sender.urlOf(path);
}

/** @param {InkseekClientError} error @returns {Problem | Unreachable} */
function translated(error) {
  if (asksToSignIn(error)) {
    const signedOut = new SignedOut();
    listener(signedOut);
    return signedOut;
  }
  if (error instanceof ServiceProblem) {
    const problem = new Problem(error.status, error.code === FOREIGN ? {} : error.problem, error.retryAfterMs);
    reportProblem(problem);
    return problem;
  }
  const garbled = error instanceof UnexpectedAnswer;
  return new Unreachable(text(garbled ? "unreachable.garbled" : error instanceof TimedOut ? "unreachable.late" : "unreachable.gone"), { cause: error });
}

/** @param {InkseekClientError} error @returns {boolean} whether a proxy in front of the service answered that, with its login page or on the way to it */
function asksToSignIn(error) {
  if (!(error instanceof UnexpectedAnswer || error instanceof ServiceProblem)) return false;
  const html = HTML.test(error.headers?.get("Content-Type") ?? "");
  if (error instanceof UnexpectedAnswer) return html || error.status === 0;
  return error.code === FOREIGN && ((html && SIGN_IN_STATUSES.has(error.status)) || error.status === 401);
}
