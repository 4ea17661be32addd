/** Whose hand draws: a choice among the drawing styles that were taught. Not there until there is one. */

const KEY = "inkseek.profile";

export class ProfileChoice {
  #root;
  #select;
  #heads;
  #names = [];

  /**
   * @param {HTMLElement} root holds the select
   * @param {import("./heads.js").Heads} heads
   * @param {() => void} onChange
   */
  constructor(root, heads, onChange) {
    this.#root = root;
    this.#select = root.querySelector("select");
    this.#heads = heads;
    this.#select.addEventListener("change", () => {
      remember(this.#select.value);
      onChange();
    });
  }

  /** @returns {string | null} the style to search with */
  get chosen() {
    return this.#select.value || null;
  }

  /** @returns {readonly string[]} every style, also those without a head in use */
  get names() {
    return this.#names;
  }

  /**
   * Asks anew which there are. What is chosen stays chosen while it is in use.
   * @param {string} choice the one to choose
   * @throws {import("../search.js").Problem | import("../search.js").Unreachable}
   */
  async load(choice = this.chosen ?? recall()) {
    const profiles = await this.#heads.profiles();
    this.#names = profiles.map(({ profile }) => profile);
    const usable = profiles.filter(({ live }) => live !== null).map(({ profile }) => profile);
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
