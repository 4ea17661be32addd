/**
 * What is being looked for, and when to ask. Either the drawing or a photo ("more like this") is the question; k and
 * the categories narrow it. Only the newest question's answer is ever shown.
 */

import { isBlank, toPng } from "./drawing.js";
import { Latest, Problem, STALE, Unreachable } from "./search.js";

/** After the last stroke. Long enough for the next stroke of a hatching, short enough to feel at once. */
const PAUSE_MS = 180;
/** Within a stroke: the pen rests. */
const DRAFT_PAUSE_MS = 320;
const RETRY_MS = [1000, 2000, 4000, 8000, 15000];

/** @typedef {{photo_id: string, name: string, thumbnail_url: string}} LikePhoto */

export class Finder {
  k;
  categories;
  /** @type {string | null} the drawing style, of those that were taught */
  profile = null;
  /** @type {LikePhoto | null} the photo that is the question; null: the drawing is */
  like;
  #client;
  #panel;
  #readDrawing;
  #latest = new Latest();
  #timer = 0;
  #retries = 0;

  /**
   * @param {import("./search.js").Client} client
   * @param {import("./panel.js").ResultsPanel} panel
   * @param {() => import("./drawing.js").Drawing} readDrawing
   * @param {{k: number, categories: readonly string[], like: LikePhoto | null}} start
   */
  constructor(client, panel, readDrawing, { k, categories, like }) {
    this.#client = client;
    this.#panel = panel;
    this.#readDrawing = readDrawing;
    this.k = k;
    this.categories = categories;
    this.like = like;
    // No need to wait for the next retry when the network is back.
    addEventListener("online", () => this.#retries && this.ask());
  }

  /** Asks when the drawing has rested for a moment; each call starts the moment anew. */
  askSoon({ draft = false } = {}) {
    this.#panel.markStale();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.ask(), draft ? DRAFT_PAUSE_MS : PAUSE_MS);
  }

  /** Asks now. */
  async ask() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    const drawing = this.#readDrawing();
    if (!this.like && isBlank(drawing)) {
      this.#latest.cancel();
      this.#retries = 0;
      this.#panel.showEmpty();
      return;
    }
    const scope = { k: this.k, categories: this.categories, profile: this.profile };
    const like = this.like;
    this.#panel.showLoading();
    try {
      const answer = await this.#latest.run(async (signal) =>
        like ? this.#client.similar(like.photo_id, scope, signal) : this.#client.search(await toPng(drawing), scope, signal),
      );
      if (answer === STALE) return;
      this.#retries = 0;
      this.#panel.showAnswer(answer, scope);
      if (this.#timer) this.#panel.markStale(); // drawn on since it was asked
    } catch (error) {
      this.#failed(error);
    }
  }

  #failed(error) {
    const passes = error instanceof Unreachable || (error instanceof Problem && error.passes);
    if (!passes && !(error instanceof Problem)) throw error;
    this.#panel.showProblem(error, passes);
    if (!passes) return;
    const wait = RETRY_MS[Math.min(this.#retries++, RETRY_MS.length - 1)];
    this.#timer = setTimeout(() => this.ask(), Math.max(wait, (error.retryAfterS ?? 0) * 1000));
  }
}
