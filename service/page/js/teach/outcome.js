/** What came of a lesson: did it get better, is it in use, and the drawing on the board before and after. */

import { change, share, verdict } from "./words.js";

const FIGURES = [
  ["Right photo first", (ranks, k) => share(ranks.acc_at_1, k)],
  ["Its place, on average", (ranks) => ranks.mean_rank.toFixed(1)],
];

/** @typedef {import("./adapters.js").Adapter} Adapter */
/** @typedef {import("./adapters.js").Subject} Subject */

export class Outcome {
  #root;
  #comparison;
  /** @type {Adapter | null} */
  #adapter = null;

  /**
   * @param {HTMLElement} root
   * @param {import("./comparison.js").Comparison} comparison
   * @param {{onForce: (adapter: Adapter) => void, onUndo: (adapter: Adapter) => void}} listeners onForce: use it all the same
   */
  constructor(root, comparison, { onForce, onUndo }) {
    this.#root = root;
    this.#comparison = comparison;
    this.#find("force").addEventListener("click", () => onForce(this.#adapter));
    this.#find("undo").addEventListener("click", () => onUndo(this.#adapter));
  }

  /** @param {Adapter} adapter @param {Subject} subject @param {readonly string[]} categories that are searched */
  show(adapter, subject, categories) {
    const active = adapter.state === "active";
    const { title, text } = verdict(adapter, subject);
    this.#adapter = adapter;
    this.#root.hidden = false;
    this.#root.classList.toggle("is-good", active && change(adapter) >= 0);
    this.#find("verdict").textContent = title;
    this.#find("verdict-text").textContent = text;
    this.#find("figures").replaceChildren(...figureRows(adapter));
    this.#find("force").hidden = active;
    this.#find("undo").hidden = !active;
    if (active && subject.kind === "category") this.#comparison.show({ categories: [subject.name], adapt: false }, { categories: [subject.name] });
    else if (active) this.#comparison.show({ categories }, { categories, profile: subject.name });
    this.#find("verdict").focus({ preventScroll: true });
    this.#root.scrollIntoView({ block: "nearest" });
  }

  hide() {
    this.#root.hidden = true;
    this.#comparison.hide();
  }

  /** The drawing is another one. */
  refreshSoon() {
    this.#comparison.refreshSoon();
  }

  #find(name) {
    return this.#root.querySelector(`#teach-${name}`);
  }
}

/** @param {Adapter} adapter @returns {HTMLTableRowElement[]} */
function figureRows({ leave_one_out: { before, after }, k }) {
  return FIGURES.map(([term, read]) => {
    const row = document.createElement("tr");
    const name = Object.assign(document.createElement("th"), { scope: "row", textContent: term });
    row.append(name, ...[before, after].map((ranks) => Object.assign(document.createElement("td"), { textContent: read(ranks, k) })));
    return row;
  });
}
