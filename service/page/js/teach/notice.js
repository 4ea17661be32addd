/** The panel's notice of a problem. */

import { Problem, Unreachable } from "../api/problem.js";
import { text } from "../texts.js";

export class Notice {
  #root;
  #title;
  #detail;

  /** @param {import("../element.js").Find} find among the panel's elements */
  constructor(find) {
    this.#root = find("problem");
    this.#title = find("problem-title");
    this.#detail = find("problem-detail");
  }

  /** @param {string} title @param {string} detail */
  show(title, detail) {
    this.#title.textContent = title;
    this.#detail.textContent = detail;
    this.#root.hidden = false;
    this.#root.scrollIntoView({ block: "nearest" });
  }

  /** @param {unknown} error of a request; any other is thrown */
  showError(error) {
    if (error instanceof Unreachable) this.show(text("unreachable"), error.message);
    else if (error instanceof Problem) this.show(error.title, error.message);
    else throw error;
  }

  hide() {
    this.#root.hidden = true;
  }
}
