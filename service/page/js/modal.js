/**
 * A dialog that everything waits for. Its opening is an entry of the browser's history, so that "back" closes it; on browsers
 * without `showModal` (Safari before 15.4) the rest of the page is made inert by hand.
 */

import { setInert } from "./features.js";

export class Modal {
  #dialog;
  #navigation;
  #onClose;
  /** @type {Element | null} what had the focus before */
  #before = null;
  #close = () => this.#hide();

  /**
   * @param {HTMLElement} dialog
   * @param {import("./navigation.js").Navigation} navigation
   * @param {() => void} [onClose] it was open, and no longer is
   */
  constructor(dialog, navigation, onClose = () => {}) {
    this.#dialog = dialog;
    this.#navigation = navigation;
    this.#onClose = onClose;
    // The dialog has no padding of its own: a click on the element itself is one on the backdrop.
    dialog.addEventListener("click", (event) => event.target === dialog && this.close());
    dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      this.close();
    });
    // A browser may close it after all, as Chrome does at a second Escape.
    dialog.addEventListener("close", () => this.#settle());
    document.addEventListener("keydown", (event) => event.key === "Escape" && this.isOpen && !isNative(dialog) && this.close());
  }

  get isOpen() {
    return this.#dialog.hasAttribute("open");
  }

  open() {
    if (this.isOpen) return;
    this.#before = document.activeElement;
    if (isNative(this.#dialog)) this.#dialog.showModal();
    else this.#showByHand(true);
    this.#navigation.opened(this.#close);
  }

  /** @param {{forPage?: boolean}} options forPage: what comes next is a page of its own in the history, in place of the dialog */
  close({ forPage = false } = {}) {
    if (!this.isOpen) return;
    if (forPage) this.#navigation.left(this.#close);
    this.#hide();
  }

  #hide() {
    if (isNative(this.#dialog)) {
      this.#dialog.close(); // `#settle` follows
      return;
    }
    this.#showByHand(false);
    if (this.#before instanceof HTMLElement) this.#before.focus();
    this.#settle();
  }

  #settle() {
    this.#navigation.closed(this.#close);
    this.#onClose();
  }

  /** @param {boolean} on */
  #showByHand(on) {
    this.#dialog.toggleAttribute("open", on);
    this.#dialog.classList.toggle("is-by-hand", on);
    this.#dialog.setAttribute("role", "dialog");
    this.#dialog.setAttribute("aria-modal", String(on));
    for (const part of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("body > header, body > main, body > footer"))) setInert(part, on);
    if (on) /** @type {HTMLElement | null} */ (this.#dialog.querySelector("button:not([hidden]):not([disabled]), input"))?.focus();
  }
}

/** @param {HTMLElement} dialog @returns {dialog is HTMLDialogElement} */
function isNative(dialog) {
  return "showModal" in dialog;
}
