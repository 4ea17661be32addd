/** What goes wrong with a request: the service answers with a problem, somebody else answers, or nobody does. */

import { LANGUAGE, knownText, text } from "../texts.js";

/** The language of the service's own words. */
const SERVICE_LANGUAGE = "en";

/** Of these the same request may well be answered soon: the service is too busy, or still starting. */
const TRANSIENT_STATUSES = new Set([429, 502, 503, 504]);

const DENIED_STATUSES = new Set([401, 403]);

/** The service rejected the request, or failed: an RFC 9457 problem. */
export class Problem extends Error {
  /** @param {number} status @param {Record<string, any>} body @param {number | null} retryAfterMs */
  constructor(status, body, retryAfterMs = null) {
    const words = LANGUAGE === SERVICE_LANGUAGE || body.translated ? body : translated(body.code);
    super(words.detail || (words.title ? "" : text("problem.status", { status: String(status) })));
    /** @type {string} */
    this.title = words.title || text("problem.title");
    /** @type {string} stable, for programs; "": the answer was no problem document */
    this.code = body.code || "";
    /** @type {{where: string, what: string}[]} */
    this.errors = body.errors ?? [];
    this.status = status;
    this.retryAfterMs = retryAfterMs;
  }

  /** @returns {boolean} whether the same request may be answered soon */
  get isTransient() {
    return TRANSIENT_STATUSES.has(this.status);
  }

  /** @returns {boolean} whether a key is missing, or grants too little: asking again does not help */
  get isDenied() {
    return DENIED_STATUSES.has(this.status);
  }

  /** As a search would answer it. @param {string} category that is not there @returns {Problem} */
  static ofCategory(category) {
    const words = { title: text("offers.category_gone", { name: category }), detail: text("offers.category_gone.detail") };
    return new Problem(422, { code: "unknown_category", translated: true, ...words });
  }
}

/** @param {string | undefined} code @returns {{title: string | null, detail: string | null}} in the page's language */
function translated(code) {
  return { title: knownText(`problem.${code}`), detail: knownText(`problem.${code}.detail`) };
}

/** No answer came at all: no network, or nothing listens there; or it broke off. */
export class Unreachable extends Error {}

/** A proxy in front of the service answered with its login page: the user has to sign in again. */
export class SignedOut extends Problem {
  constructor() {
    super(401, {});
    this.title = text("signed_out.title");
    this.message = text("signed_out.detail");
  }
}
