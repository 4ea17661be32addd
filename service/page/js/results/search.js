/**
 * The current search, and when to send it. The query is the drawing, or a photo ("more like this"); k and the categories
 * narrow it. Only the answer to the newest query is ever shown.
 */

import { Latest, STALE } from "../api/latest.js";
import { Problem, Unreachable } from "../api/problem.js";
import { isBlank } from "../drawing/drawing.js";
import { toPng } from "../drawing/export.js";

/** After the last stroke. Long enough for the next stroke of a hatching, short enough to feel at once. */
const PAUSE_MS = 180;
/** Within a stroke: the pen rests. */
const DRAFT_PAUSE_MS = 320;
const RETRY_MS = [1000, 2000, 4000, 8000, 15000];

/** @typedef {{photo_id: string, name: string, thumbnail_url: string}} QueryPhoto */

export class Search {
  /** @type {number} */
  k;
  /** @type {readonly string[]} none: all */
  categories;
  /** @type {readonly string[]} conditions on the photos, such as "price<=9" */
  filters;
  /** What a search within a category compares by; null: by lines alone. @type {"balanced" | null} */
  focus;
  /** @type {string | null} the profile whose style adapter moves the query */
  profile;
  /** Whether photos that look the same are one result. @type {boolean} */
  group;
  /** That the photos have in their names, categories or metadata; "": any. @type {string} */
  words;
  /** @type {QueryPhoto | null} the photo that is the query; null: the drawing is */
  like = null;
  #client;
  #panel;
  #readDrawing;
  #latest = new Latest();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #retries = 0;
  #offers;

  /**
   * @param {import("../api/client.js").Client} client
   * @param {import("./panel.js").ResultsPanel} panel
   * @param {() => import("../drawing/drawing.js").Drawing} readDrawing
   * @param {{k: number, categories: readonly string[], filters: readonly string[], focus: "balanced" | null, profile: string | null, group: boolean, words: string}} start
   * @param {(problem: Problem) => readonly {label: string, onChoose: () => void}[]} offers what to search for instead
   */
  constructor(client, panel, readDrawing, { k, categories, filters, focus, profile, group, words }, offers) {
    this.#client = client;
    this.#panel = panel;
    this.#readDrawing = readDrawing;
    this.k = k;
    this.categories = categories;
    this.filters = filters;
    this.focus = focus;
    this.profile = profile;
    this.group = group;
    this.words = words;
    this.#offers = offers;
    // No need to wait for the next retry when the network is back.
    addEventListener("online", () => this.#retries && this.run());
  }

  /** Searches when the drawing has rested for a moment; each call starts the moment anew. */
  runSoon({ draft = false } = {}) {
    this.#panel.markStale();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.run(), draft ? DRAFT_PAUSE_MS : PAUSE_MS);
  }

  /** Searches now. */
  async run() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const drawing = this.#readDrawing();
    const blank = isBlank(drawing);
    if (!this.like && blank && !this.words) {
      this.#latest.cancel();
      this.#retries = 0;
      this.#panel.showEmpty();
      return;
    }
    const { k, categories, filters, focus, profile, group, words, like } = this;
    const scope = { k, categories, filters, focus, profile, group, words };
    this.#panel.showLoading();
    try {
      const answer = await this.#latest.run(async (signal) => {
        if (like) return this.#client.similar(like.photo_id, scope, signal);
        return blank ? this.#client.list(scope, signal) : this.#client.search(await toPng(drawing), scope, signal);
      });
      if (answer === STALE) return;
      this.#retries = 0;
      this.#panel.showAnswer(answer, scope);
      if (this.#timer) this.#panel.markStale(); // the drawing changed since the search was sent
    } catch (error) {
      this.#failed(error);
    }
  }

  /** @param {unknown} error a problem that may pass is retried, one that will not is shown, any other is thrown */
  #failed(error) {
    if (!(error instanceof Problem || error instanceof Unreachable)) throw error;
    const retries = error instanceof Unreachable || error.isTransient;
    this.#panel.showProblem(error, retries, error instanceof Problem ? this.#offers(error) : []);
    if (!retries) return;
    const waitMs = RETRY_MS[Math.min(this.#retries++, RETRY_MS.length - 1)];
    const askedForMs = error instanceof Problem ? (error.retryAfterMs ?? 0) : 0;
    this.#timer = setTimeout(() => this.run(), Math.max(waitMs, askedForMs));
  }
}
