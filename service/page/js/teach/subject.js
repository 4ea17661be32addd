/** What is taught: a category, there already or new, or a person's drawing style; each has a name of its own. */

const WORDS = {
  category: { label: "Category", placeholder: "Choose one, or name a new one" },
  profile: { label: "Whose drawings", placeholder: "Name the style: Anna, say" },
};

/** @typedef {import("./adapters.js").Subject} Subject */

export class SubjectChoice {
  #root;
  #onChange;
  /** @type {"category" | "profile"} */
  #kind = "category";
  #names = { category: "", profile: "" };
  #known = { category: [], profile: [] };

  /** @param {HTMLElement} root @param {() => void} onChange the person chose another kind, or another name */
  constructor(root, onChange) {
    this.#root = root;
    this.#onChange = onChange;
    for (const radio of root.querySelectorAll("[name=teach-kind]")) {
      radio.addEventListener("change", () => {
        this.#kind = radio.value;
        this.#render();
        onChange();
      });
    }
    this.#input.addEventListener("change", () => this.rename(this.#input.value));
    this.#render();
  }

  /** @returns {Subject} name "": not said yet */
  get subject() {
    return { kind: this.#kind, name: this.#names[this.#kind] };
  }

  /** @returns {{category: string, profile: string}} the names of both */
  get names() {
    return this.#names;
  }

  /** @returns {boolean} whether it is a category that the gallery does not have */
  get isNewCategory() {
    return this.#kind === "category" && this.#names.category !== "" && !this.#known.category.includes(this.#names.category);
  }

  /** @param {"category" | "profile"} kind @param {readonly string[]} names that are there already */
  load(kind, names) {
    this.#known[kind] = names;
    this.#render();
  }

  /** @param {{category: string, profile: string}} names as they were */
  restore(names) {
    this.#names = names;
    this.#render();
  }

  /** @param {string} typed a name that differs in its letters' case alone is that of what is there */
  rename(typed) {
    const name = typed.trim();
    const known = this.#known[this.#kind];
    this.#names[this.#kind] = known.find((one) => one === name) ?? known.find((one) => one.toLowerCase() === name.toLowerCase()) ?? name;
    this.#render();
    this.#onChange();
  }

  /** @param {boolean} held it must not change just now */
  hold(held) {
    this.#root.inert = held;
  }

  get #input() {
    return this.#root.querySelector("#teach-name");
  }

  #render() {
    const { label, placeholder } = WORDS[this.#kind];
    this.#root.querySelector("#teach-name-label").textContent = label;
    this.#input.placeholder = placeholder;
    this.#input.value = this.#names[this.#kind];
    this.#root.querySelector("#teach-names").replaceChildren(...this.#known[this.#kind].map((name) => new Option(name, name)));
  }
}
