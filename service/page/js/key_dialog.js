/** Asks for the API key when the service needs one, and offers to forget it. */

import { forgetKey, keepKey, onKeyNeeded, readKey } from "./api/key.js";
import { finder } from "./element.js";
import { Modal } from "./modal.js";
import { text } from "./texts.js";

export class KeyDialog {
  #modal;
  #find;
  #button;

  /** @param {HTMLElement} dialog @param {import("./navigation.js").Navigation} navigation @param {HTMLElement} button that opens it; shown once there is something to say */
  constructor(dialog, navigation, button) {
    this.#modal = new Modal(dialog, navigation);
    this.#find = finder(dialog, "key-");
    this.#button = button;
    button.addEventListener("click", () => this.#open());
    this.#find("close").addEventListener("click", () => this.#modal.close());
    this.#button.hidden = readKey() === null;
    this.#find("form", HTMLFormElement).addEventListener("submit", (event) => this.#keep(event));
    this.#find("forget").addEventListener("click", () => {
      forgetKey();
      location.reload();
    });
    onKeyNeeded((problem) => this.#ask(problem));
  }

  /** Opens by itself once: who closed it finds the button. @param {import("./api/problem.js").Problem} problem */
  #ask(problem) {
    const asked = !this.#button.hidden && this.#find("problem").textContent !== "";
    this.#button.hidden = false;
    this.#find("problem").textContent = problem.code === "key_invalid" ? text("key.wrong", { why: problem.message }) : text("key.needed");
    if (!asked) this.#open();
  }

  #open() {
    if (this.#modal.isOpen) return;
    this.#find("forget").hidden = readKey() === null;
    this.#modal.open();
    this.#find("input", HTMLInputElement).focus();
  }

  /** @param {SubmitEvent} event */
  #keep(event) {
    event.preventDefault();
    const key = this.#find("input", HTMLInputElement).value.trim();
    if (!key) return;
    // Everything that failed without the key starts anew; the drawing is kept. Without storage the page has to go on as it is.
    if (keepKey(key)) location.reload();
    else this.#modal.close();
  }
}
