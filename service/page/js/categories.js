/** The category filter: a button, and a searchable list (ARIA combobox with a multi-selectable listbox) behind it. */

/** More options than one reads through; typing narrows them. */
const MAX_SHOWN = 200;
const ALL = null;
const number = new Intl.NumberFormat("en");

/** @typedef {{category: string, count: number}} CategoryCount */

export class CategoryPicker {
  /** @type {CategoryCount[]} */
  #known = [];
  #total = null;
  /** @type {Set<string>} */
  #selected;
  #active = 0;
  #root;
  #template;
  #onChange;

  /**
   * @param {HTMLElement} root
   * @param {HTMLTemplateElement} template of one option
   * @param {readonly string[]} selected
   * @param {(selected: string[]) => void} onChange
   */
  constructor(root, template, selected, onChange) {
    this.#root = root;
    this.#template = template;
    this.#selected = new Set(selected);
    this.#onChange = onChange;
    this.#find("category-button").addEventListener("click", (event) => (this.#isOpen ? this.close() : this.open(event.detail === 0)));
    this.#find("category-close").addEventListener("click", () => this.close());
    this.#find("category-search").addEventListener("input", () => this.#render(0));
    this.#find("category-list").addEventListener("click", (event) => this.#click(event));
    // A press on an option must not take the focus from the search field.
    this.#find("category-list").addEventListener("mousedown", (event) => event.preventDefault());
    root.addEventListener("keydown", (event) => this.#keydown(event));
    document.addEventListener("pointerdown", (event) => this.#isOpen && !root.contains(event.target) && this.close(false));
    root.addEventListener("focusout", (event) => this.#isOpen && event.relatedTarget && !root.contains(event.relatedTarget) && this.close(false));
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

  /** @param {readonly string[]} selected none: all @returns {number | null} photos in these categories; null: not known yet */
  count(selected) {
    if (selected.length === 0 || this.#total === null) return this.#total;
    return this.#known.reduce((sum, { category, count }) => sum + (selected.includes(category) ? count : 0), 0);
  }

  /** @param {boolean} byKeyboard a finger is spared the on-screen keyboard until it taps the field */
  open(byKeyboard) {
    this.#find("category-panel").hidden = false;
    this.#find("category-button").setAttribute("aria-expanded", "true");
    this.#find("category-search").value = "";
    this.#render(0);
    if (byKeyboard || matchMedia("(pointer: fine)").matches) this.#find("category-search").focus();
  }

  close(returnFocus = true) {
    this.#find("category-panel").hidden = true;
    this.#find("category-button").setAttribute("aria-expanded", "false");
    if (returnFocus) this.#find("category-button").focus();
  }

  get #isOpen() {
    return !this.#find("category-panel").hidden;
  }

  /** @returns {(CategoryCount & {category: string | null})[]} */
  get #shown() {
    const typed = this.#find("category-search").value.trim().toLowerCase();
    const found = this.#known.filter(({ category }) => category.toLowerCase().includes(typed));
    return typed ? found : [{ category: ALL, count: this.#total }, ...found];
  }

  #render(active) {
    const shown = this.#shown;
    const options = shown.slice(0, MAX_SHOWN);
    this.#active = Math.max(0, Math.min(active, options.length - 1));
    this.#find("category-list").replaceChildren(...options.map((option, index) => this.#option(option, index)));
    const hidden = shown.length - options.length;
    this.#find("category-note").textContent = shown.length === 0 ? "No category has that in its name." : hidden ? `${number.format(hidden)} more: type to narrow.` : "";
    this.#markActive();
  }

  #option({ category, count }, index) {
    const option = this.#template.content.firstElementChild.cloneNode(true);
    const selected = category === ALL ? this.#selected.size === 0 : this.#selected.has(category);
    option.id = `category-option-${index}`;
    option.setAttribute("aria-selected", String(selected));
    option.querySelector(".option-name").textContent = category ?? "All categories";
    option.querySelector(".option-count").textContent = count === null ? "" : number.format(count);
    return option;
  }

  #markActive() {
    const options = this.#find("category-list").children;
    [...options].forEach((option, index) => option.classList.toggle("is-active", index === this.#active));
    const active = options[this.#active];
    active?.scrollIntoView({ block: "nearest" });
    this.#find("category-search").setAttribute("aria-activedescendant", active?.id ?? "");
  }

  #click(event) {
    const option = event.target.closest("[role=option]");
    if (option) this.#toggle([...this.#find("category-list").children].indexOf(option));
  }

  #toggle(index) {
    const option = this.#shown[index];
    if (!option) return;
    const selected = new Set(this.#selected);
    if (option.category === ALL) selected.clear();
    else if (!selected.delete(option.category)) selected.add(option.category);
    this.#selected = selected;
    this.#render(index);
    this.#summarise();
    this.#onChange([...selected]);
  }

  #keydown(event) {
    if (!this.#isOpen) return;
    if (event.key === "Escape") {
      event.stopPropagation();
      this.close();
      return;
    }
    if (event.target !== this.#find("category-search")) return;
    const last = this.#find("category-list").children.length - 1;
    const moves = { ArrowDown: this.#active + 1, ArrowUp: this.#active - 1, PageDown: this.#active + 8, PageUp: this.#active - 8 };
    if (event.key in moves) this.#active = Math.max(0, Math.min(moves[event.key], last));
    else if (event.key === "Enter") this.#toggle(this.#active);
    else return;
    event.preventDefault();
    this.#markActive();
  }

  #summarise() {
    const [first, ...others] = this.#selected;
    this.#find("category-summary").textContent = first === undefined ? "All categories" : others.length ? `${this.#selected.size} categories` : first;
    this.#root.classList.toggle("is-filtered", first !== undefined);
  }

  #find(id) {
    return this.#root.querySelector(`#${id}`);
  }
}
