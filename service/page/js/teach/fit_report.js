/** The results of a fit: is it better, is it active, and the drawing on the board before and after. */

import { gain, share, verdict } from "./messages.js";
import { inTenths, text } from "../texts.js";

/** @typedef {import("../api/adapters.js").Adapter} Adapter */
/** @typedef {import("../api/adapters.js").RankFigures} RankFigures */
/** @typedef {import("../api/adapters.js").Target} Target */

/** @type {{term: string, show: (figures: RankFigures, k: number) => string}[]} */
const FIGURES = [
  { term: text("figure.first"), show: ({ acc_at_1: accuracy }, k) => share(accuracy, k) },
  { term: text("figure.rank"), show: ({ mean_rank: meanRank }) => inTenths(meanRank) },
];

export class FitReport {
  #root;
  #find;
  #comparison;
  /** @type {Adapter | null} */
  #adapter = null;

  /**
   * @param {import("../element.js").Find} find among the panel's elements
   * @param {import("./comparison.js").Comparison} comparison
   * @param {{onForce: (adapter: Adapter) => void, onUndo: (adapter: Adapter) => void}} listeners onForce: activate it all the same
   */
  constructor(find, comparison, { onForce, onUndo }) {
    this.#root = find("report");
    this.#find = find;
    this.#comparison = comparison;
    find("force").addEventListener("click", () => this.#adapter && onForce(this.#adapter));
    find("undo").addEventListener("click", () => this.#adapter && onUndo(this.#adapter));
  }

  /** @param {Adapter} adapter @param {Target} target @param {readonly string[]} categories that are searched */
  show(adapter, target, categories) {
    const active = adapter.state === "active";
    const words = verdict(adapter, target);
    this.#adapter = adapter;
    this.#root.hidden = false;
    this.#root.classList.toggle("is-good", active && gain(adapter) >= 0);
    this.#find("verdict").textContent = words.title;
    this.#find("verdict-text").textContent = words.text;
    this.#find("figures").replaceChildren(...figureRows(adapter));
    this.#find("force").hidden = active;
    this.#find("undo").hidden = !active;
    if (active && target.kind === "category") this.#comparison.show({ categories: [target.name], adapt: false }, { categories: [target.name] });
    else if (active) this.#comparison.show({ categories }, { categories, profile: target.name });
    this.#find("verdict").focus({ preventScroll: true });
    this.#root.scrollIntoView({ block: "nearest" });
  }

  hide() {
    this.#root.hidden = true;
    this.#comparison.hide();
  }

  /** The drawing changed. */
  refreshSoon() {
    this.#comparison.refreshSoon();
  }
}

/** @param {Adapter} adapter @returns {HTMLTableRowElement[]} */
function figureRows({ leave_one_out: { before, after }, k }) {
  return FIGURES.map(({ term, show }) => {
    const row = document.createElement("tr");
    const name = Object.assign(document.createElement("th"), { scope: "row", textContent: term });
    row.append(name, ...[before, after].map((figures) => Object.assign(document.createElement("td"), { textContent: show(figures, k) })));
    return row;
  });
}
