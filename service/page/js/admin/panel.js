/** What the panels have in common: they look again every few seconds, and say what went wrong. */

import { Problem } from "../api/problem.js";
import { query } from "../element.js";
import { text } from "../texts.js";

export class Panel {
  #status;
  #look;
  #scope;
  #everyMs;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #isDenied = false;

  /**
   * @param {HTMLElement} root
   * @param {() => Promise<void>} look fetches and shows
   * @param {{scope: string, everyMs?: number}} options scope: that its requests need; everyMs: left out, it looks once, and
   *   after each change
   */
  constructor(root, look, { scope, everyMs }) {
    this.#status = query(root, ".panel-status", HTMLElement);
    this.#look = look;
    this.#scope = scope;
    this.#everyMs = everyMs;
    document.addEventListener("visibilitychange", () => !document.hidden && everyMs && this.refresh());
  }

  /** Looks now, and from then on by itself. */
  async refresh() {
    clearTimeout(this.#timer);
    if (this.#isDenied) return; // the scopes of a key do not change while the page is open
    try {
      await this.#look();
      if (!this.#status.classList.contains("is-done")) this.#say("");
    } catch (error) {
      this.#fail(error);
    }
    clearTimeout(this.#timer);
    // Nobody looks at a hidden page; it looks again when it is shown.
    if (this.#everyMs && !this.#isDenied && !document.hidden) this.#timer = setTimeout(() => this.refresh(), this.#everyMs);
  }

  /** Changes something and looks again. @param {() => Promise<unknown>} change @param {string} done what it says then */
  async change(change, done) {
    try {
      await change();
      this.#say(done, true);
    } catch (error) {
      this.#say(wordsOf(error));
    }
    await this.#look().catch((error) => this.#say(wordsOf(error)));
  }

  /** @param {unknown} error of a look */
  #fail(error) {
    this.#isDenied = error instanceof Problem && error.isDenied;
    this.#say(this.#isDenied ? text("admin.needs", { scope: this.#scope }) : wordsOf(error));
  }

  /** @param {string} words @param {boolean} [done] it is no problem */
  #say(words, done = false) {
    this.#status.classList.toggle("is-done", done);
    if (this.#status.textContent !== words) this.#status.textContent = words;
  }
}

/** @param {unknown} error @returns {string} */
export function wordsOf(error) {
  if (error instanceof Problem) return error.message ? `${error.title}: ${error.message}` : error.title;
  return error instanceof Error ? error.message : String(error);
}
