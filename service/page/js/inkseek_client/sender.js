/**
 * Calls sent with fetch, once and within a time limit: the only module that knows the network.
 *
 * @import { Call } from "./call.js"
 * @typedef {object} SenderOptions
 * @property {string | (() => string | null) | null} [key]   an API key, or what returns it for each request
 * @property {string | null} [gallery]   its name; null: the default one
 * @property {number} [timeoutMs]   longest wait for a whole answer, 30,000 by default
 * @property {typeof fetch} [fetch]   in place of the runtime's own: for other headers, proxies, and tests
 *
 * @typedef {object} SendOptions
 * @property {AbortSignal | null} [signal]   ends the call; its reason is thrown
 * @property {number} [timeoutMs]   of each attempt, in place of the sender's
 */

import { InkseekClientError, TimedOut, UnexpectedAnswer, Unreachable } from "./errors.js";
import { errorOf, errorOfAnswer } from "./problems.js";
import { reasonOf, timeLimit } from "./time_limit.js";

export const DEFAULT_URL = "http://127.0.0.1:8000";
const TIMEOUT_MS = 30_000;
const SLOW = 4;
const KEY = /^[\x21-\x7e]+$/;
const KEY_INVALID = { type: "about:blank", title: "The API key is not valid", status: 401, detail: "It has spaces, or characters beyond ASCII.", code: "key_invalid" };
const ORIGIN = /^[a-z][a-z0-9+.-]*:\/\/[^/]+/i;

export class Sender {
  #url;
  #options;

  /**
   * @param {string} [url] of the service, with the path below which a proxy has it; "": the origin of the page
   * @param {SenderOptions} [options]
   */
  constructor(url = DEFAULT_URL, options = {}) {
    this.#url = url.replace(/\/+$/, "");
    this.#options = options;
  }

  /**
   * @template T
   * @param {Call<T>} call
   * @param {SendOptions} [options]
   * @returns {Promise<T>} its answer
   * @throws {InkseekClientError} or the reason of the `signal`
   */
  async send(call, { signal, timeoutMs } = {}) {
    const headers = this.#headers(call);
    const limit = timeLimit(signal, timeoutMs ?? (this.#options.timeoutMs ?? TIMEOUT_MS) * (call.slow ? SLOW : 1));
    const send = this.#options.fetch ?? fetch;
    try {
      // The service redirects nobody: whoever does is a proxy that wants its login page to be seen.
      const init = { method: call.method, headers, body: call.body, redirect: /** @type {const} */ ("manual"), signal: limit.signal };
      return await answerOf(call, await send(this.#urlOfCall(call), init));
    } catch (error) {
      if (error instanceof InkseekClientError) throw error;
      if (limit.isOver()) throw new TimedOut(`${this.#url}: no answer in time`, { cause: error });
      if (signal?.aborted) throw reasonOf(signal, error);
      throw new Unreachable(`${this.#url}: ${error instanceof Error ? error.message : error}`, { cause: error });
    } finally {
      limit.done();
    }
  }

  /** @param {string} path of a picture, as an answer has it @returns {string} its URL, for elements and downloads that need no key */
  urlOf(path) {
    const origin = ORIGIN.exec(this.#url)?.[0] ?? "";
    // A service that knows the path of its proxy answers with it, another one without.
    return path.startsWith(`${this.#url.slice(origin.length)}/v1/`) ? origin + path : this.#url + path;
  }

  /**
   * @param {string | null} gallery null: the default one
   * @returns {this} the same client for another gallery
   */
  inGallery(gallery) {
    const Kind = /** @type {new (url: string, options: SenderOptions) => this} */ (this.constructor);
    return new Kind(this.#url, { ...this.#options, gallery });
  }

  /** @param {Call<unknown>} call @returns {string} */
  #urlOfCall({ path, query, ofGallery = true }) {
    const { gallery } = this.#options;
    const inGallery = ofGallery && typeof gallery === "string" ? path.replace(/^\/v1/, `/v1/galleries/${encodeURIComponent(gallery)}`) : path;
    return this.#url + inGallery + (query ? `?${query}` : "");
  }

  /** @param {Call<unknown>} call @returns {Record<string, string>} */
  #headers({ contentType }) {
    const { key } = this.#options;
    const token = typeof key === "function" ? key() : key;
    // fetch would say so as well, with the key in its message.
    if (token && !KEY.test(token)) throw errorOf(KEY_INVALID);
    return { ...(token ? { Authorization: `Bearer ${token}` } : {}), ...(contentType ? { "Content-Type": contentType } : {}) };
  }
}

/** @template T @param {Call<T>} call @param {Response} response @returns {Promise<T>} */
async function answerOf(call, response) {
  if (response.status >= 400) throw await errorOfAnswer(response);
  if (!response.ok) throw new UnexpectedAnswer(`${call.method} ${call.path} was answered with a redirect`, response);
  try {
    return await call.read(response);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new UnexpectedAnswer(`${call.method} ${call.path} was answered with something else: ${error.message}`, response, error);
  }
}
