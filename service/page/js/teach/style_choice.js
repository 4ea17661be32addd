/** "Drawn by": a choice among the profiles with an active style adapter. Hidden until there is one. */

import { query } from "../element.js";
import { text } from "../texts.js";

const KEY = "inkseek.profile";

export class StyleChoice {
  #root;
  #select;
  #adapters;
  /** @type {readonly string[]} */
  #names = [];
  /** @type {readonly string[]} */
  #usable = [];

  /**
   * @param {HTMLElement} root holds the select
   * @param {import("../api/adapters.js").Adapters} adapters
   * @param {() => void} onChange
   */
  constructor(root, adapters, onChange) {
    this.#root = root;
    this.#select = query(root, "select", HTMLSelectElement);
    this.#adapters = adapters;
    this.#select.addEventListener("change", () => {
      saveChoice(this.#select.value);
      onChange();
    });
  }

  /** @returns {string | null} the profile to search with */
  get chosen() {
    return this.#select.value || null;
  }

  /** @param {string | null} name null: nobody's style in particular */
  choose(name) {
    this.#select.value = name ?? "";
    saveChoice(this.#select.value);
  }

  /** @returns {readonly string[]} the profiles that can be searched with */
  get usable() {
    return this.#usable;
  }

  /** @returns {readonly string[]} every profile, also those without an active adapter */
  get names() {
    return this.#names;
  }

  /**
   * Loads the profiles. The chosen one stays chosen while it has an active adapter.
   * @param {string} [choice] the one to choose
   * @throws {import("../api/problem.js").Problem | import("../api/problem.js").Unreachable}
   */
  async load(choice = this.chosen ?? savedChoice()) {
    const profiles = await this.#adapters.profiles();
    this.#names = profiles.map(({ profile }) => profile);
    const usable = profiles.filter(({ active }) => active).map(({ profile }) => profile);
    this.#usable = usable;
    this.#select.replaceChildren(new Option(text("profile.anyone"), ""), ...usable.map((name) => new Option(name, name)));
    this.#select.value = usable.includes(choice) ? choice : "";
    this.#root.hidden = usable.length === 0;
    saveChoice(this.#select.value);
  }
}

/** @param {string} name "": none */
function saveChoice(name) {
  try {
    if (name) localStorage.setItem(KEY, name);
    else localStorage.removeItem(KEY);
  } catch {
    // Storage is forbidden: the choice lives as long as the page does.
  }
}

/** @returns {string} "": none */
function savedChoice() {
  try {
    return localStorage.getItem(KEY) ?? "";
  } catch {
    return "";
  }
}
