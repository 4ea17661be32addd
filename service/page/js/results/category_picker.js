/** The category filter: a button, and a searchable list (ARIA combobox with a multi-selectable listbox) behind it. */

import { finder, instantiate, nodeOf, query } from "../element.js";
import { PHONE } from "../layout.js";
import { inWhole, text } from "../texts.js";

/** More options than one reads through; typing narrows them. */
const MAX_SHOWN = 200;

/** @typedef {import("../api/client.js").CategoryCount} CategoryCount */
/** @typedef {{category: string | null, count: number | null}} PickerOption   category null: all of them; count null: not known yet */

export class CategoryPicker {
  /** @type {CategoryCount[]} */
  #known = [];
  /** @type {number | null} photos in the gallery; null: not known yet */
  #total = null;
  /** @type {Set<string>} */
  #selected;
  #active = 0;
  #root;
  #find;
  #button;
  #panel;
  #search;
  #list;
  #template;
  #navigation;
  #onChange;
  #hide = () => this.close();

  /**
   * @param {HTMLElement} root
   * @param {HTMLTemplateElement} template of one option
   * @param {import("../navigation.js").Navigation} navigation
   * @param {readonly string[]} selected
   * @param {(selected: string[]) => void} onChange
   */
  constructor(root, template, navigation, selected, onChange) {
    this.#root = root;
    this.#find = finder(root);
    this.#button = this.#find("category-button");
    this.#panel = this.#find("category-panel");
    this.#search = this.#find("category-search", HTMLInputElement);
    this.#list = this.#find("category-list");
    this.#template = template;
    this.#navigation = navigation;
    this.#selected = new Set(selected);
    this.#onChange = onChange;
    this.#button.addEventListener("click", (event) => (this.#isOpen ? this.close() : this.open(event.detail === 0)));
    this.#find("category-close").addEventListener("click", () => this.close());
    this.#search.addEventListener("input", () => this.#render(0));
    this.#list.addEventListener("click", (event) => this.#click(event));
    // A press on an option must not take the focus from the search field.
    this.#list.addEventListener("mousedown", (event) => event.preventDefault());
    root.addEventListener("keydown", (event) => this.#keydown(event));
    document.addEventListener("pointerdown", (event) => this.#isOpen && !root.contains(nodeOf(event.target)) && this.close(false));
    root.addEventListener("focusout", (event) => this.#isOpen && event.relatedTarget && !root.contains(nodeOf(event.relatedTarget)) && this.close(false));
    this.#summarise();
  }

  /** @param {{categories: CategoryCount[], total: number}} known */
  load({ categories, total }) {
    this.#known = categories;
    this.#total = total;
    this.#summarise();
    if (this.#isOpen) this.#render(this.#active);
  }

  /** @param {readonly string[]} selected */
  select(selected) {
    this.#selected = new Set(selected);
    this.#summarise();
    if (this.#isOpen) this.#render(this.#active);
  }

  /** @returns {readonly string[]} the names of all categories; none before they are loaded */
  get known() {
    return this.#known.map(({ category }) => category);
  }

  /** @param {readonly string[]} selected none: all @returns {number | null} photos in these categories; null: not known yet */
  count(selected) {
    if (selected.length === 0 || this.#total === null) return this.#total;
    return this.#known.reduce((sum, { category, count }) => sum + (selected.includes(category) ? count : 0), 0);
  }

  /** @param {boolean} byKeyboard a finger is spared the on-screen keyboard until it taps the field */
  open(byKeyboard) {
    if (this.#isOpen) return;
    this.#panel.hidden = false;
    // There it is a sheet over the page, which "back" closes.
    if (matchMedia(PHONE).matches) this.#navigation.opened(this.#hide);
    this.#button.setAttribute("aria-expanded", "true");
    this.#search.value = "";
    this.#render(0);
    if (byKeyboard || matchMedia("(pointer: fine)").matches) this.#search.focus();
  }

  close(returnFocus = true) {
    this.#panel.hidden = true;
    this.#navigation.closed(this.#hide);
    this.#button.setAttribute("aria-expanded", "false");
    if (returnFocus) this.#button.focus();
  }

  get #isOpen() {
    return !this.#panel.hidden;
  }

  /** @returns {PickerOption[]} */
  get #shown() {
    const typed = this.#search.value.trim().toLowerCase();
    const matching = this.#known.filter(({ category }) => category.toLowerCase().includes(typed));
    return typed ? matching : [{ category: null, count: this.#total }, ...matching];
  }

  /** @param {number} active the option that Enter chooses */
  #render(active) {
    const shown = this.#shown;
    const options = shown.slice(0, MAX_SHOWN);
    this.#active = Math.max(0, Math.min(active, options.length - 1));
    this.#list.replaceChildren(...options.map((option, index) => this.#option(option, index)));
    const hidden = shown.length - options.length;
    this.#find("category-note").textContent = shown.length === 0 ? text("categories.none") : hidden ? text("categories.more", { count: hidden }) : "";
    this.#markActive();
  }

  /** @param {PickerOption} shown @param {number} index @returns {HTMLElement} */
  #option({ category, count }, index) {
    const option = instantiate(this.#template);
    const selected = category === null ? this.#selected.size === 0 : this.#selected.has(category);
    option.id = `category-option-${index}`;
    option.setAttribute("aria-selected", String(selected));
    query(option, ".option-name", HTMLElement).textContent = category ?? text("categories.all");
    query(option, ".option-count", HTMLElement).textContent = count === null ? "" : inWhole(count);
    return option;
  }

  #markActive() {
    const options = this.#list.children;
    [...options].forEach((option, index) => option.classList.toggle("is-active", index === this.#active));
    const active = options[this.#active];
    active?.scrollIntoView({ block: "nearest" });
    this.#search.setAttribute("aria-activedescendant", active?.id ?? "");
  }

  /** @param {MouseEvent} event */
  #click(event) {
    const index = [...this.#list.children].findIndex((option) => option.contains(nodeOf(event.target)));
    if (index >= 0) this.#toggle(index);
  }

  /** @param {number} index of the option */
  #toggle(index) {
    const option = this.#shown[index];
    if (!option) return;
    const selected = new Set(this.#selected);
    if (option.category === null) selected.clear();
    else if (!selected.delete(option.category)) selected.add(option.category);
    this.#selected = selected;
    this.#render(index);
    this.#summarise();
    this.#onChange([...selected]);
  }

  /** @param {KeyboardEvent} event */
  #keydown(event) {
    if (!this.#isOpen) return;
    if (event.key === "Escape") {
      event.stopPropagation();
      this.close();
      return;
    }
    if (event.target !== this.#search) return;
    const last = this.#list.children.length - 1;
    /** @type {Record<string, number>} */
    const moves = { ArrowDown: this.#active + 1, ArrowUp: this.#active - 1, PageDown: this.#active + 8, PageUp: this.#active - 8 };
    if (event.key in moves) this.#active = Math.max(0, Math.min(moves[event.key], last));
    else if (event.key === "Enter") this.#toggle(this.#active);
    else return;
    event.preventDefault();
    this.#markActive();
  }

  #summarise() {
    const [first, ...others] = this.#selected;
    this.#find("category-summary").textContent = first === undefined ? text("categories.all") : others.length ? text("categories.several", { count: this.#selected.size }) : first;
    this.#root.classList.toggle("is-filtered", first !== undefined);
  }
}
