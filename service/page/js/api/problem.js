/** What goes wrong with a request: the service answers with a problem, or does not answer. */

/** Of these the same request may well be answered soon: the service is too busy, or still starting. */
const TRANSIENT_STATUSES = new Set([429, 502, 503, 504]);

/** The service rejected the request, or failed: an RFC 9457 problem. */
export class Problem extends Error {
  /** @param {number} status @param {Record<string, any>} body @param {number | null} retryAfterS */
  constructor(status, body, retryAfterS = null) {
    super(body.detail || body.title || `The service answered with status ${status}.`);
    /** @type {string} */
    this.title = body.title || "The search did not work";
    /** @type {string} stable, for programs; "": the answer was no problem document */
    this.code = body.code || "";
    /** @type {{where: string, what: string}[]} */
    this.errors = body.errors ?? [];
    this.status = status;
    this.retryAfterS = retryAfterS;
  }

  /** @returns {boolean} whether the same request may be answered soon */
  get isTransient() {
    return TRANSIENT_STATUSES.has(this.status);
  }

  /** @param {Response} response @returns {Promise<Problem>} */
  static async from(response) {
    const body = await response.json().catch(() => ({}));
    const retryAfterS = Number.parseFloat(response.headers.get("Retry-After") ?? "");
    return new Problem(response.status, body, Number.isFinite(retryAfterS) ? retryAfterS : null);
  }
}

/** No answer came at all: no network, or nothing listens there. */
export class Unreachable extends Error {}
