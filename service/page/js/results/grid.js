/** The grid of results: cards that move to their new rank, and one tab stop with arrow keys inside. */

import { showPicture } from "../api/picture.js";
import { instantiate, nodeOf, query } from "../element.js";
import { animate } from "../features.js";
import { photoName, scoreText } from "./photo_text.js";
import { inWhole, text } from "../texts.js";

const MOVE_MS = 220;

/** @typedef {import("../api/client.js").Hit} Hit */

export class ResultsGrid {
  #list;
  #template;
  #onOpen;
  #onPick;
  /** @type {string | null} the id of the marked photo */
  #picked = null;
  /** @type {Hit[]} */
  #hits = [];
  #focused = 0;

  /**
   * @param {HTMLElement} list
   * @param {HTMLTemplateElement} template
   * @param {{onOpen: (index: number) => void, onPick: (hit: Hit) => void}} listeners onPick: the photo is marked as the right one, or no longer
   */
  constructor(list, template, { onOpen, onPick }) {
    this.#list = list;
    this.#template = template;
    this.#onOpen = onOpen;
    this.#onPick = onPick;
    list.addEventListener("keydown", (event) => this.#keydown(event));
    list.addEventListener("focusin", (event) => this.#rove(this.#cells.findIndex((cell) => cell.contains(nodeOf(event.target)))));
  }

  get hits() {
    return this.#hits;
  }

  /** @param {Hit[]} hits best first */
  render(hits) {
    this.#hits = hits;
    const active = document.activeElement;
    const focused = active instanceof HTMLElement && this.#list.contains(active) ? active : null;
    const before = new Map(this.#cells.map((cell) => [cell.dataset.photoId, { cell, box: cell.getBoundingClientRect() }]));
    const cells = hits.map((hit, index) => this.#fill(before.get(hit.photo_id)?.cell ?? this.#newCell(hit), hit, index));
    this.#list.replaceChildren(...cells);
    this.#rove(0);
    // Whoever has just marked a photo stays with it, whatever its rank is now; else the best one is next.
    if (focused?.matches(".pick") && this.#list.contains(focused)) focused.focus();
    else if (focused) this.focus();
    this.#animate(cells, before);
  }

  /** @param {boolean} on whether photos can be marked as the right one @param {string | null} photoId the one that is */
  showPicking(on, photoId) {
    this.#picked = photoId;
    this.#list.classList.toggle("is-picking", on);
    for (const cell of this.#cells) if (cell.dataset.photoId) this.#markPicked(cell);
  }

  /** As `focus`, unless the user has gone elsewhere: a dialog says that it closed a moment after it did. @param {number} index */
  focusAgain(index) {
    const { activeElement } = document;
    if (!activeElement || activeElement === document.body || this.#list.contains(activeElement)) this.focus(index);
  }

  /** Moves the focus into the grid, to the card that has the tab stop or to the one at `index`. */
  focus(index = this.#focused) {
    this.#rove(index);
    this.#cards[this.#focused]?.focus();
  }

  /** @returns {HTMLElement[]} */
  get #cells() {
    return [...this.#list.querySelectorAll("li")];
  }

  /** @returns {HTMLButtonElement[]} */
  get #cards() {
    return this.#cells.map((cell) => query(cell, ".card", HTMLButtonElement));
  }

  /** @param {Hit} hit @returns {HTMLElement} */
  #newCell(hit) {
    const cell = instantiate(this.#template);
    cell.dataset.photoId = hit.photo_id;
    const image = query(cell, "img", HTMLImageElement);
    image.addEventListener("load", () => image.classList.add("is-loaded"));
    image.addEventListener("error", () => cell.classList.add("is-broken"));
    showPicture(image, hit.thumbnail_url);
    const index = () => this.#cells.indexOf(cell);
    query(cell, ".card", HTMLElement).addEventListener("click", () => this.#onOpen(index()));
    query(cell, ".pick", HTMLElement).addEventListener("click", () => this.#onPick(this.#hits[index()]));
    return cell;
  }

  /** @param {HTMLElement} cell @param {Hit} hit @param {number} index @returns {HTMLElement} the cell */
  #fill(cell, hit, index) {
    const name = photoName(hit);
    query(cell, ".card-name", HTMLElement).textContent = name;
    query(cell, ".card-score", HTMLElement).textContent = scoreText(hit.score);
    query(cell, ".card-mirrored", HTMLElement).hidden = !hit.mirrored;
    const alike = hit.duplicates?.length ?? 0;
    query(cell, ".card-alike", HTMLElement).hidden = alike === 0;
    query(cell, ".card-alike", HTMLElement).textContent = `+${inWhole(alike)}`;
    query(cell, ".card-alike", HTMLElement).title = text("card.alike", { count: alike });
    const values = { rank: index + 1, name, category: hit.category, score: scoreText(hit.score) };
    const label = text(hit.mirrored ? "card.label_mirrored" : "card.label", values).replace(", ,", ","); // without a score
    query(cell, ".card", HTMLElement).setAttribute("aria-label", alike ? `${label}, ${text("card.alike", { count: alike })}` : label);
    query(cell, ".pick .hidden-text", HTMLElement).textContent = text("card.pick", { name });
    this.#markPicked(cell);
    return cell;
  }

  /** @param {HTMLElement} cell */
  #markPicked(cell) {
    const picked = cell.dataset.photoId === this.#picked;
    cell.classList.toggle("is-picked", picked);
    query(cell, ".pick", HTMLElement).setAttribute("aria-pressed", String(picked));
  }

  /**
   * Cards that stay glide to where they are now, new ones fade in.
   * @param {HTMLElement[]} cells
   * @param {Map<string | undefined, {cell: HTMLElement, box: DOMRect}>} before where each was, by its photo's id
   */
  #animate(cells, before) {
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    const timing = { duration: MOVE_MS, easing: "cubic-bezier(.2, .7, .2, 1)" };
    for (const cell of cells) {
      const old = before.get(cell.dataset.photoId)?.box;
      if (!old) {
        animate(cell, [{ opacity: 0 }, { opacity: 1 }], timing);
        continue;
      }
      const box = cell.getBoundingClientRect();
      const [x, y] = [old.left - box.left, old.top - box.top];
      if (x || y) animate(cell, [{ transform: `translate(${x}px, ${y}px)` }, { transform: "none" }], timing);
    }
  }

  /** Gives one card the tab stop. @param {number} index */
  #rove(index) {
    const cards = this.#cards;
    this.#focused = Math.max(0, Math.min(index, cards.length - 1));
    cards.forEach((card, i) => {
      card.tabIndex = i === this.#focused ? 0 : -1;
      query(this.#cells[i], ".pick", HTMLElement).tabIndex = card.tabIndex;
    });
  }

  /** @param {KeyboardEvent} event */
  #keydown(event) {
    const step = this.#steps()[event.key];
    if (step === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const target = this.#focused + step;
    if (target >= 0 && target < this.#hits.length) this.focus(target);
  }

  /** @returns {Record<string, number>} how far each key moves, with as many columns as the style sheet gives just now */
  #steps() {
    const columns = getComputedStyle(this.#list).gridTemplateColumns.split(" ").length;
    return {
      ArrowRight: 1,
      ArrowLeft: -1,
      ArrowDown: columns,
      ArrowUp: -columns,
      Home: -this.#focused,
      End: this.#hits.length - 1 - this.#focused,
    };
  }
}
