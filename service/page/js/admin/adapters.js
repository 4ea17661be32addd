/** The adapters of a category or a drawing style, with what each did to its examples: activated, switched off, deleted from here. */

import { Adapters } from "../api/adapters.js";
import { Client } from "../api/client.js";
import { finder } from "../element.js";
import { inTenths, text } from "../texts.js";
import { button, make, showRows } from "./elements.js";
import { Panel } from "./panel.js";
import { timeOf } from "./units.js";

/** @typedef {import("../api/adapters.js").Adapter} Adapter @typedef {import("../api/adapters.js").Target} Target */

/** In a gallery of more categories, only the chosen one is looked up: each is a request. */
const MOST_LOOKED_UP = 48;
const AT_ONCE = 4;
/** A second press within this time deletes, which cannot be undone. */
const CONFIRM_MS = 5000;

export class AdaptersPanel {
  #find;
  #adapters = new Adapters();
  #client = new Client();
  #mayChange = false;
  /** @type {Target[]} */
  #targets = [];

  /** @param {HTMLElement} root */
  constructor(root) {
    this.#find = finder(root, "adapters-");
    this.panel = new Panel(root, () => this.#look(), { scope: "adapt" });
    this.#select.addEventListener("change", () => this.panel.refresh());
  }

  /** @param {boolean} allowed whether adapters may be changed */
  allow(allowed) {
    this.#mayChange = allowed;
  }

  get #select() {
    return this.#find("target", HTMLSelectElement);
  }

  async #look() {
    if (!this.#targets.length) await this.#findTargets();
    const target = this.#targets[Number(this.#select.value)];
    if (!target) {
      this.#find("none").hidden = false;
      return;
    }
    const { adapters, active } = await this.#adapters.list(target);
    const newestFirst = [...adapters].sort((a, b) => b.version - a.version);
    this.#find("none").hidden = adapters.length > 0;
    showRows(this.#find("list"), newestFirst.map((adapter) => this.#row(target, adapter, adapter.adapter_id === active)));
  }

  /** What may have adapters: those that have come first, and the first of them is shown. */
  async #findTargets() {
    const [profiles, { categories }] = await Promise.all([this.#adapters.profiles(), this.#client.categories()]);
    /** @type {Target[]} */
    const named = categories.map(({ category }) => ({ kind: "category", name: category }));
    const adapted = named.length <= MOST_LOOKED_UP ? await this.#adaptedOf(named) : new Set();
    /** @type {Target[]} */
    const styles = profiles.map(({ profile }) => ({ kind: "profile", name: profile }));
    this.#targets = [...named.filter((one) => adapted.has(one)), ...styles, ...named.filter((one) => !adapted.has(one))];
    const count = adapted.size + styles.length;
    this.#find("count").textContent = named.length <= MOST_LOOKED_UP ? text("admin.adapters.count", { count }) : text("admin.adapters.many", { count: named.length });
    this.#select.replaceChildren(...this.#targets.map((target, place) => new Option(labelOf(target), String(place))));
    this.#find("choice").hidden = this.#targets.length === 0;
  }

  /** @param {Target[]} targets @returns {Promise<Set<Target>>} those that have adapters */
  async #adaptedOf(targets) {
    /** @type {Set<Target>} */
    const found = new Set();
    const left = [...targets];
    const lookUp = async () => {
      for (let target = left.shift(); target; target = left.shift()) {
        if ((await this.#adapters.list(target)).adapters.length) found.add(target);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, lookUp));
    return found;
  }

  /** @param {Target} target @param {Adapter} adapter @param {boolean} active @returns {import("./elements.js").Row} */
  #row(target, adapter, active) {
    const { version } = adapter;
    const actions = [];
    if (!active && adapter.state !== "stale") {
      actions.push(button(text("admin.activate"), text("admin.activate_label", { version }), () => this.#activate(target, adapter)));
    }
    if (active) actions.push(button(text("admin.roll_back"), text("admin.roll_back_label", { version }), () => this.#rollBack(target)));
    actions.push(this.#deleteButton(target, adapter));
    return {
      key: adapter.adapter_id,
      name: text("version.name", { version }),
      state: active ? text("version.active") : adapter.state === "stale" ? text("version.stale") : "",
      mood: active ? "good" : "",
      facts: [text("admin.adapters.facts", { count: adapter.k, created: timeOf(adapter.created_at) })],
      more: [effectOf(adapter)],
      actions: this.#mayChange ? actions : [],
    };
  }

  /** The first press asks, the second one deletes. @param {Target} target @param {Adapter} adapter @returns {HTMLButtonElement} */
  #deleteButton(target, adapter) {
    const { version } = adapter;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let timer;
    const ask = (/** @type {boolean} */ asking) => {
      clearTimeout(timer);
      timer = asking ? setTimeout(() => ask(false), CONFIRM_MS) : undefined;
      made.textContent = text(asking ? "version.delete_really" : "version.delete");
      made.setAttribute("aria-label", text(asking ? "version.delete_really_label" : "version.delete_label", { version }));
    };
    const made = button(text("version.delete"), text("version.delete_label", { version }), () => (timer ? this.#remove(target, adapter) : ask(true)));
    return made;
  }

  /** @param {Target} target @param {Adapter} adapter */
  #activate(target, adapter) {
    void this.panel.change(() => this.#adapters.activate(target, adapter.adapter_id), text("done.activated", { version: adapter.version }));
  }

  /** @param {Target} target */
  #rollBack(target) {
    void this.panel.change(() => this.#adapters.rollback(target), text("admin.rolled_back"));
  }

  /** @param {Target} target @param {Adapter} adapter */
  #remove(target, adapter) {
    void this.panel.change(() => this.#adapters.remove(target, adapter.adapter_id, { photos: false }), text("done.deleted", { version: adapter.version }));
  }
}

/** @param {Adapter} adapter @returns {HTMLElement} the examples' own photos, each left out once, before and after */
function effectOf({ leave_one_out: { before, after } }) {
  const effect = make("div", "effect");
  for (const [key, figures] of /** @type {[string, typeof before][]} */ ([["admin.before", before], ["admin.after", after]])) {
    const name = text(key);
    const meter = make("meter");
    meter.value = figures.acc_at_1;
    const first = text("percent", { count: Math.round(100 * figures.acc_at_1) });
    meter.setAttribute("aria-label", `${name}, ${text("figure.first")}`);
    effect.append(make("span", "", name), meter, make("b", "", text("admin.effect", { first, rank: inTenths(figures.mean_rank) })));
  }
  return effect;
}

/** @param {Target} target @returns {string} */
function labelOf({ kind, name }) {
  return text(kind === "category" ? "admin.category" : "admin.style", { name });
}
