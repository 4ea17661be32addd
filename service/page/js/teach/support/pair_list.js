/** The list of collected pairs, each drawing beside its photo. */

import { showPicture } from "../../api/picture.js";
import { instantiate, query } from "../../element.js";
import { text } from "../../texts.js";

/** @typedef {import("./pair.js").Pair} Pair */

export class PairList {
  #list;
  #template = query(document, "#pair-template", HTMLTemplateElement);
  #listeners;

  /**
   * @param {HTMLElement} list
   * @param {{onShow: (pair: Pair) => void, onDraw: (pair: Pair) => void, onRemove: (pair: Pair) => void}} listeners onShow:
   *   put its drawing on the board; onDraw: the board's drawing is one of this photo; onRemove: take it out
   */
  constructor(list, listeners) {
    this.#list = list;
    this.#listeners = listeners;
  }

  /** @param {readonly Pair[]} pairs @param {Map<Pair, string>} notes the pairs that cannot be used, and why not */
  render(pairs, notes) {
    const before = new Map(this.#cells.map((cell) => [cell.dataset.key, cell]));
    const cells = pairs.map((pair, index) => {
      const key = `${pair.id} ${pair.sketch?.key ?? ""}`;
      const cell = before.get(key) ?? this.#newCell(pair, key);
      cell.classList.toggle("is-wrong", notes.has(pair));
      query(cell, ".pair-note", HTMLElement).textContent = notes.get(pair) ?? "";
      query(cell, ".pair-number", HTMLElement).textContent = text("pair.number", { count: index + 1 });
      return cell;
    });
    this.#keepFocus(() => this.#list.replaceChildren(...cells));
    this.#list.hidden = pairs.length === 0;
    // On a phone the list is a strip: the newest pair comes into sight.
    if (pairs.length > before.size && before.size) this.#list.scrollLeft = this.#list.scrollWidth;
  }

  /** @returns {HTMLElement[]} */
  get #cells() {
    return [...this.#list.querySelectorAll("li")];
  }

  /** @param {Pair} pair @param {string} key of what the cell shows @returns {HTMLElement} */
  #newCell(pair, key) {
    const { sketch, photo } = pair;
    const cell = instantiate(this.#template);
    const show = query(cell, ".pair-sketch", HTMLElement);
    const draw = query(cell, ".pair-draw", HTMLElement);
    const remove = query(cell, ".pair-remove", HTMLElement);
    cell.dataset.key = key;
    query(cell, ".pair-name", HTMLElement).textContent = photo.name;
    showPicture(query(cell, ".pair-photo", HTMLImageElement), photo.url);
    show.hidden = !sketch;
    draw.hidden = Boolean(sketch);
    if (sketch) query(show, "img", HTMLImageElement).src = sketch.url;
    query(show, ".hidden-text", HTMLElement).textContent = text("pair.show", { name: photo.name });
    draw.setAttribute("aria-label", text("pair.draw_label", { name: photo.name }));
    query(remove, ".hidden-text", HTMLElement).textContent = text("pair.remove", { name: photo.name });
    show.addEventListener("click", () => this.#listeners.onShow(pair));
    draw.addEventListener("click", () => this.#listeners.onDraw(pair));
    remove.addEventListener("click", () => this.#listeners.onRemove(pair));
    return cell;
  }

  /** A keyboard that removes one pair continues with its neighbour. @param {() => void} change of the list */
  #keepFocus(change) {
    const focused = document.activeElement;
    const index = this.#cells.findIndex((cell) => cell.contains(focused));
    change();
    if (index < 0 || this.#list.contains(focused)) return;
    const next = this.#cells[Math.min(index, this.#cells.length - 1)];
    const heading = this.#list.closest("section")?.querySelector("h2");
    (next ? query(next, ".pair-remove", HTMLElement) : heading)?.focus();
  }
}
