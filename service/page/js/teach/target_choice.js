/** What the adapter is for: a category, one of the gallery or a new one, or a user's drawing style; each has a name. */

import { setInert } from "../features.js";
import { query } from "../element.js";
import { text } from "../texts.js";

/** @typedef {import("../api/adapters.js").Target} Target */
/** @typedef {Target["kind"]} Kind */

/** @type {Record<Kind, {label: string, placeholder: string}>} */
const LABELS = {
  category: { label: text("teach.category.label"), placeholder: text("teach.category.placeholder") },
  profile: { label: text("teach.style.label"), placeholder: text("teach.style.placeholder") },
};

export class TargetChoice {
  #root;
  #input;
  #onChange;
  /** @type {Kind} */
  #kind = "category";
  /** @type {Record<Kind, string>} */
  #names = { category: "", profile: "" };
  /** @type {Record<Kind, readonly string[]>} */
  #known = { category: [], profile: [] };

  /** @param {HTMLElement} root @param {() => void} onChange the user chose another kind, or another name */
  constructor(root, onChange) {
    this.#root = root;
    this.#input = query(root, "#teach-name", HTMLInputElement);
    this.#onChange = onChange;
    for (const kind of /** @type {Kind[]} */ (["category", "profile"])) {
      query(root, `[name=teach-kind][value=${kind}]`, HTMLInputElement).addEventListener("change", () => {
        this.#kind = kind;
        this.#render();
        onChange();
      });
    }
    this.#input.addEventListener("change", () => this.rename(this.#input.value));
    this.#render();
  }

  /** @returns {Target} name "": not chosen yet */
  get target() {
    return { kind: this.#kind, name: this.#names[this.#kind] };
  }

  /** @returns {Record<Kind, string>} the names of both kinds */
  get names() {
    return this.#names;
  }

  /** @returns {boolean} whether it is a category that the gallery does not have */
  get isNewCategory() {
    return this.#kind === "category" && this.#names.category !== "" && !this.#known.category.includes(this.#names.category);
  }

  /** @param {Kind} kind @param {readonly string[]} names that exist already */
  load(kind, names) {
    this.#known[kind] = names;
    this.#render();
  }

  /** @param {Record<Kind, string>} names as they were before a reload */
  restore(names) {
    this.#names = names;
    this.#render();
  }

  /** @param {string} typed where it differs from an existing name in upper and lower case alone, that name is meant */
  rename(typed) {
    const name = typed.trim();
    const known = this.#known[this.#kind];
    this.#names[this.#kind] = known.find((one) => one === name) ?? known.find((one) => one.toLowerCase() === name.toLowerCase()) ?? name;
    this.#render();
    this.#onChange();
  }

  /** @param {boolean} held it must not change at present */
  hold(held) {
    setInert(this.#root, held);
  }

  #render() {
    const { label, placeholder } = LABELS[this.#kind];
    const options = this.#known[this.#kind].map((name) => new Option(name, name));
    query(this.#root, "#teach-name-label", HTMLElement).textContent = label;
    query(this.#root, "#teach-names", HTMLElement).replaceChildren(...options);
    this.#input.placeholder = placeholder;
    this.#input.value = this.#names[this.#kind];
  }
}
