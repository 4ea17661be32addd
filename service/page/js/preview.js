/** "What the model sees": the service's own view of the drawing, beside the board while its button is on. */

import { isBlank, toPng } from "./drawing.js";
import { Latest, STALE } from "./search.js";

const PAUSE_MS = 300;

export class Preview {
  #root;
  #button;
  #client;
  #readDrawing;
  #latest = new Latest();
  #timer = 0;
  #url = null;

  /**
   * @param {HTMLElement} root
   * @param {HTMLButtonElement} button
   * @param {import("./search.js").Client} client
   * @param {() => import("./drawing.js").Drawing} readDrawing
   */
  constructor(root, button, client, readDrawing) {
    this.#root = root;
    this.#button = button;
    this.#client = client;
    this.#readDrawing = readDrawing;
    button.addEventListener("click", () => this.toggle());
  }

  toggle() {
    this.#root.hidden = !this.#root.hidden;
    this.#button.setAttribute("aria-expanded", String(!this.#root.hidden));
    this.#update();
  }

  /** The drawing is another one. */
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
      this.#show(null, "Draw something to see it as the model does.");
      return;
    }
    try {
      const png = await this.#latest.run(async (signal) => this.#client.preview(await toPng(drawing), signal));
      if (png !== STALE) this.#show(png, "Your drawing as the service cleans, frames and scales it. This is all that the model compares.");
    } catch (error) {
      this.#show(null, error.message);
    }
  }

  #show(png, caption) {
    const image = this.#root.querySelector("img");
    if (this.#url) URL.revokeObjectURL(this.#url);
    this.#url = png && URL.createObjectURL(png);
    image.hidden = !png;
    if (png) image.src = this.#url;
    this.#root.querySelector("figcaption").textContent = caption;
  }
}
