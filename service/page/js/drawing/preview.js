/** "What the model sees": the service's own view of the drawing, beside the board while its button is on. */

import { query } from "../element.js";
import { isBlank } from "./drawing.js";
import { toPng } from "./export.js";
import { Problem, Unreachable } from "../api/problem.js";
import { Latest, STALE } from "../api/latest.js";
import { text } from "../texts.js";

const PAUSE_MS = 300;

export class Preview {
  #root;
  #image;
  #caption;
  #button;
  #client;
  #readDrawing;
  #scope;
  #latest = new Latest();
  #timer = 0;
  /** @type {string | null} */
  #url = null;

  /**
   * @param {HTMLElement} root
   * @param {HTMLButtonElement} button
   * @param {import("../api/client.js").Client} client
   * @param {() => import("./drawing.js").Drawing} readDrawing
   * @param {() => import("../api/client.js").Scope} scope of the search that it is for
   */
  constructor(root, button, client, readDrawing, scope) {
    this.#root = root;
    this.#image = query(root, "img", HTMLImageElement);
    this.#caption = query(root, "figcaption", HTMLElement);
    this.#button = button;
    this.#client = client;
    this.#readDrawing = readDrawing;
    this.#scope = scope;
    button.addEventListener("click", () => this.toggle());
  }

  toggle() {
    this.#root.hidden = !this.#root.hidden;
    this.#button.setAttribute("aria-expanded", String(!this.#root.hidden));
    this.#update();
  }

  /** The drawing is another one, or the search that it is for. */
  refreshSoon() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#update(), PAUSE_MS);
  }

  async #update() {
    clearTimeout(this.#timer);
    this.#latest.cancel();
    if (this.#root.hidden) return;
    const drawing = this.#readDrawing();
    if (isBlank(drawing)) {
      this.#show(null, text("preview.empty"));
      return;
    }
    try {
      const png = await this.#latest.run(async (signal) => this.#client.preview(await toPng(drawing), this.#scope(), signal));
      if (png !== STALE) this.#show(png, text("preview.caption"));
    } catch (error) {
      if (!(error instanceof Problem || error instanceof Unreachable)) throw error;
      this.#show(null, error.message);
    }
  }

  /** @param {Blob | null} png null: there is nothing to see @param {string} caption */
  #show(png, caption) {
    if (this.#url) URL.revokeObjectURL(this.#url);
    this.#url = png && URL.createObjectURL(png);
    this.#image.hidden = !this.#url;
    if (this.#url) this.#image.src = this.#url;
    this.#caption.textContent = caption;
  }
}
