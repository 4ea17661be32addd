/** Whose hand draws: a choice among the drawing styles that were taught. Not there until there is one. */

const KEY = "inkseek.profile";

export class ProfileChoice {
  #root;
  #select;
  #adapters;
  #names = [];

  /**
   * @param {HTMLElement} root holds the select
   * @param {import("./adapters.js").Adapters} adapters
   * @param {() => void} onChange
   */
  constructor(root, adapters, onChange) {
    this.#root = root;
    this.#select = root.querySelector("select");
    this.#adapters = adapters;
    this.#select.addEventListener("change", () => {
      remember(this.#select.value);
      onChange();
    });
  }

  /** @returns {string | null} the style to search with */
  get chosen() {
    return this.#select.value || null;
  }

  /** @returns {readonly string[]} every style, also those without an adapter in use */
  get names() {
    return this.#names;
  }

  /**
   * Asks anew which there are. What is chosen stays chosen while it is in use.
   * @param {string} choice the one to choose
   * @throws {import("../search.js").Problem | import("../search.js").Unreachable}
   */
  async load(choice = this.chosen ?? recall()) {
    const profiles = await this.#adapters.profiles();
    this.#names = profiles.map(({ profile }) => profile);
    const usable = profiles.filter(({ active }) => active !== null).map(({ profile }) => profile);
    this.#select.replaceChildren(new Option("Anyone", ""), ...usable.map((name) => new Option(name, name)));
    this.#select.value = usable.includes(choice) ? choice : "";
    this.#root.hidden = usable.length === 0;
    remember(this.#select.value);
  }
}

function remember(name) {
  try {
    if (name) localStorage.setItem(KEY, name);
    else localStorage.removeItem(KEY);
  } catch {
    // Not kept, then.
  }
}

function recall() {
  try {
    return localStorage.getItem(KEY) ?? "";
  } catch {
    return "";
  }
}
