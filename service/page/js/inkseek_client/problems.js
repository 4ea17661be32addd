/** Problem documents to typed errors. */

import { Conflict, CursorStale, Denied, KeyRejected, NotFound, RequestInvalid, ServiceFailed, SketchInvalid, TooLarge, TryLater } from "./errors.js";

/**
 * @import { ServiceProblem } from "./errors.js"
 * @import { Problem } from "./schemas.js"
 * @typedef {typeof ServiceProblem} Kind
 */

const SHOWN_CHARACTERS = 200;
const HTTP_DATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;
/** @type {Record<string, Kind>} */
const OF_CODE = {
  sketch_empty: SketchInvalid,
  sketch_solid: SketchInvalid,
  strokes_invalid: SketchInvalid,
  image_unreadable: SketchInvalid,
  image_unsupported: SketchInvalid,
};
/** @type {Record<number, Kind>} */
const OF_STATUS = {
  401: KeyRejected,
  403: Denied,
  404: NotFound,
  409: Conflict,
  410: CursorStale,
  413: TooLarge,
  429: TryLater,
  503: TryLater,
};

/**
 * @param {Problem} problem @param {Headers | null} [headers] of its answer @param {number | null} [waitMs] of Retry-After
 * @returns {ServiceProblem} by its code, else by its status, so that new codes have an error, too
 */
export function errorOf(problem, headers = null, waitMs = null) {
  const KindOfError = OF_CODE[problem.code] ?? OF_STATUS[problem.status] ?? (problem.status < 500 ? RequestInvalid : ServiceFailed);
  return new KindOfError(problem, headers, waitMs);
}

/** @param {Response} response with a status of 400 or more @returns {Promise<ServiceProblem>} */
export async function errorOfAnswer(response) {
  const { status, headers } = response;
  const text = await response.text();
  return errorOf(documentOf(status, text) ?? ofProxy(status, text), headers, retryAfterMs(headers.get("Retry-After"), Date.now()));
}

/**
 * @param {string | null} header Retry-After, a number of seconds or a date (RFC 9110, section 10.2.3)
 * @param {number} now milliseconds since 1970
 * @returns {number | null} milliseconds; null without a valid one
 */
export function retryAfterMs(header, now) {
  const value = header?.trim() ?? "";
  if (/^\d+$/.test(value)) return Number(value) * 1000;
  return HTTP_DATE.test(value) ? Math.max(0, Date.parse(value) - now) : null;
}

/** @param {number} status @param {string} text @returns {Problem | null} null: it is none */
function documentOf(status, text) {
  try {
    const document = JSON.parse(text);
    return typeof document?.code === "string" ? { type: "about:blank", title: `HTTP ${status}`, status, detail: "", ...document } : null;
  } catch {
    return null;
  }
}

/** A proxy in between has pages of its own: what it says is shown as far as a line holds it. @param {number} status @param {string} text */
function ofProxy(status, text) {
  return { type: "about:blank", title: `HTTP ${status}`, status, detail: text.slice(0, SHOWN_CHARACTERS), code: "http_error" };
}
