/** Asks for the API key when the service needs one, and offers to forget it. */

import { forgetKey, keepKey, onKeyNeeded, readKey } from "./api/key.js";
import { finder } from "./element.js";

export class KeyDialog {
  #dialog;
  #find;
  #button;

  /** @param {HTMLDialogElement} dialog @param {HTMLElement} button that opens it; shown once there is something to say */
  constructor(dialog, button) {
    this.#dialog = dialog;
    this.#find = finder(dialog, "key-");
    this.#button = button;
    button.addEventListener("click", () => this.#open());
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
    this.#find("problem").textContent = problem.code === "key_invalid" ? `The kept key does not work: ${problem.message}.` : "This service needs an API key.";
    if (!asked) this.#open();
  }

  #open() {
    if (this.#dialog.open) return;
    this.#find("forget").hidden = readKey() === null;
    this.#dialog.showModal();
    this.#find("input", HTMLInputElement).focus();
  }

  /** @param {SubmitEvent} event */
  #keep(event) {
    event.preventDefault();
    const key = this.#find("input", HTMLInputElement).value.trim();
    if (!key) return;
    // Everything that failed without the key starts anew; the drawing is kept. Without storage the page has to go on as it is.
    if (keepKey(key)) location.reload();
    else this.#dialog.close();
  }
}
