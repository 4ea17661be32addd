/**
 * The client of the HTTP API.
 *
 * @typedef {{photo_id: string, category: string, score: number, rank: number, thumbnail_url: string,
 *   image_url: string, metadata: Record<string, unknown>}} Hit
 * @typedef {{results: Hit[], adapter_id?: string | null, style_adapter_id?: string | null, bundle_id: string, index_version: string, timings_ms: Record<string, number>}} Answer
 * @typedef {{k: number, categories: readonly string[], profile?: string | null, adapt?: boolean}} Scope   profile: a
 *   drawing style that was taught; adapt false: as if the category had been taught nothing
 */

const TIMEOUT_MS = 20_000;

/** The service said no, and why: an RFC 9457 problem. */
export class Problem extends Error {
  /** @param {number} status @param {Record<string, any>} body @param {number | null} retryAfterS */
  constructor(status, body, retryAfterS = null) {
    super(body.detail || body.title || `The service answered with status ${status}.`);
    this.title = body.title || "The search did not work";
    this.code = body.code || "";
    /** @type {{where: string, what: string}[]} */
    this.faults = body.errors ?? [];
    this.status = status;
    this.retryAfterS = retryAfterS;
  }

  /** Too busy, or still starting: the same request may well be answered soon. */
  get passes() {
    return this.status === 429 || this.status === 502 || this.status === 503 || this.status === 504;
  }

  /** @param {Response} response */
  static async from(response) {
    const body = await response.json().catch(() => ({}));
    const retryAfterS = Number.parseFloat(response.headers.get("Retry-After") ?? "");
    return new Problem(response.status, body, Number.isFinite(retryAfterS) ? retryAfterS : null);
  }
}

/** No answer came at all: no network, or nothing listens there. */
export class Unreachable extends Error {}

/** What `Latest.run` gives for work that was overtaken. */
export const STALE = Symbol("stale");

/**
 * Lets only the newest of several asynchronous tasks through: a new one aborts the one before, and should the older
 * answer come all the same (it was past aborting), its number tells that it is stale.
 */
export class Latest {
  #number = 0;
  #abort = new AbortController();

  /**
   * @template T
   * @param {(signal: AbortSignal) => Promise<T>} task
   * @returns {Promise<T | typeof STALE>}
   */
  async run(task) {
    this.cancel();
    const number = this.#number;
    this.#abort = new AbortController();
    try {
      const value = await task(this.#abort.signal);
      return number === this.#number ? value : STALE;
    } catch (error) {
      if (number !== this.#number) return STALE;
      throw error;
    }
  }

  /** Drops what is under way. */
  cancel() {
    this.#number++;
    this.#abort.abort();
  }
}

export class Client {
  /** @param {Blob} png @param {Scope} scope @param {AbortSignal} signal @returns {Promise<Answer>} */
  async search(png, scope, signal) {
    return (await request(`/v1/search?${scopeQuery(scope)}`, { method: "POST", body: png, signal })).json();
  }

  /** @param {string} photoId @param {Scope} scope @param {AbortSignal} signal @returns {Promise<Answer>} */
  async similar(photoId, { k, categories }, signal) {
    return (await request(`${photoUrl(photoId)}/similar?${scopeQuery({ k, categories })}`, { signal })).json();
  }

  /** @param {Blob} png @param {AbortSignal} signal @returns {Promise<Blob>} what the model sees, a PNG */
  async preview(png, signal) {
    return (await request("/v1/preview", { method: "POST", body: png, signal })).blob();
  }

  /** @param {string} photoId @param {AbortSignal} signal */
  async photo(photoId, signal) {
    return (await request(photoUrl(photoId), { signal })).json();
  }

  /** @returns {Promise<{adaptation_id: string | null}>} what is served; adaptation_id null: it cannot be taught anything */
  async info() {
    return (await request("/v1/info", {})).json();
  }

  /** @returns {Promise<{categories: {category: string, count: number}[], total: number}>} */
  async categories() {
    return (await request("/v1/categories", {})).json();
  }
}

/** @param {string} photoId a path: its slashes stay, all else is escaped */
function photoUrl(photoId) {
  return `/v1/photos/${photoId.split("/").map(encodeURIComponent).join("/")}`;
}

/** @param {Scope} scope */
function scopeQuery({ k, categories, profile = null, adapt = true }) {
  const query = new URLSearchParams([["k", String(k)], ...categories.map((category) => ["category", category])]);
  if (profile !== null) query.set("profile", profile);
  if (!adapt) query.set("adapt", "false");
  return query;
}

/**
 * @param {string} url
 * @param {RequestInit & {timeout_ms?: number}} init
 * @returns {Promise<Response>}
 * @throws {Problem | Unreachable}
 */
export async function request(url, { signal, timeout_ms = TIMEOUT_MS, ...init }) {
  const timeout = AbortSignal.timeout(timeout_ms);
  let response;
  try {
    response = await fetch(url, { ...init, signal: signal ? AbortSignal.any([signal, timeout]) : timeout });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Unreachable(error.name === "TimeoutError" ? "The service did not answer in time." : "The service cannot be reached.");
  }
  if (!response.ok) throw await Problem.from(response);
  return response;
}
