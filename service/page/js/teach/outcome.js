/** What came of a lesson: did it get better, is it in use, and the drawing on the board before and after. */

import { change, share, verdict } from "./words.js";

const FIGURES = [
  ["Right photo first", (ranks, k) => share(ranks.acc_at_1, k)],
  ["Its place, on average", (ranks) => ranks.mean_rank.toFixed(1)],
];

/** @typedef {import("./heads.js").Head} Head */
/** @typedef {import("./heads.js").Subject} Subject */

export class Outcome {
  #root;
  #comparison;
  /** @type {Head | null} */
  #head = null;

  /**
   * @param {HTMLElement} root
   * @param {import("./comparison.js").Comparison} comparison
   * @param {{onForce: (head: Head) => void, onUndo: (head: Head) => void}} listeners onForce: use it all the same
   */
  constructor(root, comparison, { onForce, onUndo }) {
    this.#root = root;
    this.#comparison = comparison;
    this.#find("force").addEventListener("click", () => onForce(this.#head));
    this.#find("undo").addEventListener("click", () => onUndo(this.#head));
  }

  /** @param {Head} head @param {Subject} subject @param {readonly string[]} categories that are searched */
  show(head, subject, categories) {
    const live = head.state === "live";
    const { title, text } = verdict(head, subject);
    this.#head = head;
    this.#root.hidden = false;
    this.#root.classList.toggle("is-good", live && change(head) >= 0);
    this.#find("verdict").textContent = title;
    this.#find("verdict-text").textContent = text;
    this.#find("figures").replaceChildren(...figureRows(head));
    this.#find("force").hidden = live;
    this.#find("undo").hidden = !live;
    if (live && subject.kind === "category") this.#comparison.show({ categories: [subject.name], adapt: false }, { categories: [subject.name] });
    else if (live) this.#comparison.show({ categories }, { categories, profile: subject.name });
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

/** @param {Head} head @returns {HTMLTableRowElement[]} */
function figureRows({ leave_one_out: { before, after }, k }) {
  return FIGURES.map(([term, read]) => {
    const row = document.createElement("tr");
    const name = Object.assign(document.createElement("th"), { scope: "row", textContent: term });
    row.append(name, ...[before, after].map((ranks) => Object.assign(document.createElement("td"), { textContent: read(ranks, k) })));
    return row;
  });
}
