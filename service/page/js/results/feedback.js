/** "This is it": the drawing and the photo that it was meant to find are kept as an example, where the service collects them. */

import * as calls from "../inkseek_client/calls/feedback.js";
import { send } from "../api/request.js";
import { query } from "../element.js";
import { text } from "../texts.js";

/** @typedef {import("../api/problem.js").Problem} Problem */

export class Feedback {
  /** Whether the service takes examples of this user. */
  isOn = false;
  #place;
  #status;
  #button;
  /** Ids of what was kept, by the photo's. @type {Map<string, string>} */
  #kept = new Map();
  /** @type {Blob | undefined} */
  #sketch;
  #photoId = "";

  /** @param {HTMLElement} place */
  constructor(place) {
    this.#place = place;
    this.#status = query(place, "span", HTMLElement);
    this.#button = query(place, "button", HTMLButtonElement);
    this.#button.addEventListener("click", () => this.#press(this.#photoId));
  }

  /** @param {Blob | undefined} sketch that is looked for; undefined: nothing can be kept */
  begin(sketch) {
    this.#sketch = sketch;
    this.#kept = new Map(); // an answer still under way is about the drawing before
  }

  /** @param {import("../api/client.js").Hit} hit */
  show({ photo_id, category }) {
    this.#photoId = photo_id;
    this.#place.hidden = !(this.isOn && this.#sketch && category);
    this.#say();
  }

  #say(problem = "") {
    const isKept = this.#kept.has(this.#photoId);
    this.#status.textContent = problem || (isKept ? text("photo.kept") : "");
    this.#button.textContent = text(isKept ? "photo.undo" : "photo.right");
  }

  /** @param {string} photoId */
  async #press(photoId) {
    const kept = this.#kept;
    const known = kept.get(photoId);
    let problem = "";
    this.#button.disabled = true;
    try {
      if (known) {
        await send(calls.remove(known));
        kept.delete(photoId);
      } else if (this.#sketch) {
        const { feedback_id } = await send(calls.add(this.#sketch, photoId));
        kept.clear(); // a drawing is an example of one photo
        kept.set(photoId, feedback_id);
      }
    } catch (error) {
      const { title, message } = /** @type {Partial<Problem>} */ (error);
      problem = message || title || "";
    }
    this.#button.disabled = false;
    this.#say(kept === this.#kept && photoId === this.#photoId ? problem : "");
  }
}
