/** The grid of results: cards that move to their new rank, and one tab stop with arrow keys inside. */

const MOVE_MS = 220;
/** So begin the ids of photos that came with a lesson; the rest of such an id says nothing to people. */
const UPLOADED = "online/";

/** @typedef {import("./search.js").Hit} Hit */

/** @param {{photo_id: string, metadata?: Record<string, unknown>}} photo @returns {string} a name for people */
export function photoName({ photo_id, metadata = {} }) {
  for (const key of ["name", "title"]) {
    if (typeof metadata[key] === "string" && metadata[key]) return metadata[key].replace(/\.$/, "");
  }
  if (photo_id.startsWith(UPLOADED)) return "own photo";
  const file = photo_id.split("/").at(-1);
  return file.replace(/\.[^.]+$/, "").replaceAll(/[_-]+/g, " ");
}

/** @param {number} score a cosine @returns {string} */
export function scoreText(score) {
  return score.toFixed(2);
}

export class ResultsGrid {
  #list;
  #template;
  #onOpen;
  #onPick;
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
    list.addEventListener("focusin", (event) => this.#rove([...list.children].indexOf(event.target.closest(".cell"))));
  }

  get hits() {
    return this.#hits;
  }

  /** @param {Hit[]} hits best first */
  render(hits) {
    this.#hits = hits;
    const focused = this.#list.contains(document.activeElement) ? document.activeElement : null;
    const before = new Map([...this.#list.children].map((cell) => [cell.dataset.photoId, { cell, box: cell.getBoundingClientRect() }]));
    const cells = hits.map((hit, index) => this.#fill(before.get(hit.photo_id)?.cell ?? this.#newCell(hit), hit, index));
    this.#list.replaceChildren(...cells);
    this.#rove(0);
    // Whoever has just marked a photo stays with it, wherever it stands now; else the best one is next.
    if (focused?.matches(".pick") && this.#list.contains(focused)) focused.focus();
    else if (focused) this.focus();
    this.#animate(cells, before);
  }

  /** @param {boolean} on whether photos can be marked as the right one @param {string | null} photoId the one that is */
  showPicking(on, photoId) {
    this.#picked = photoId;
    this.#list.classList.toggle("is-picking", on);
    for (const cell of this.#list.querySelectorAll(".cell[data-photo-id]")) this.#markPicked(cell);
  }

  /** Moves the focus into the grid, to the card that has the tab stop or to the one at `index`. */
  focus(index = this.#focused) {
    this.#rove(index);
    this.#cards[this.#focused]?.focus();
  }

  get #cards() {
    return [...this.#list.querySelectorAll(".card")];
  }

  #newCell(hit) {
    const cell = this.#template.content.firstElementChild.cloneNode(true);
    cell.dataset.photoId = hit.photo_id;
    const image = cell.querySelector("img");
    image.addEventListener("load", () => image.classList.add("is-loaded"));
    image.addEventListener("error", () => cell.classList.add("is-broken"));
    image.src = hit.thumbnail_url;
    const index = () => [...this.#list.children].indexOf(cell);
    cell.querySelector(".card").addEventListener("click", () => this.#onOpen(index()));
    cell.querySelector(".pick").addEventListener("click", () => this.#onPick(this.#hits[index()]));
    return cell;
  }

  #fill(cell, hit, index) {
    const name = photoName(hit);
    cell.querySelector(".card-name").textContent = name;
    cell.querySelector(".card-score").textContent = scoreText(hit.score);
    cell.querySelector(".card").setAttribute("aria-label", `${index + 1}: ${name}, ${hit.category}, score ${scoreText(hit.score)}`);
    cell.querySelector(".pick .hidden-text").textContent = `${name} is what I drew`;
    this.#markPicked(cell);
    return cell;
  }

  #markPicked(cell) {
    const picked = cell.dataset.photoId === this.#picked;
    cell.classList.toggle("is-picked", picked);
    cell.querySelector(".pick").setAttribute("aria-pressed", String(picked));
  }

  /** Cards that stay glide to their new place, new ones fade in. */
  #animate(cells, before) {
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    const timing = { duration: MOVE_MS, easing: "cubic-bezier(.2, .7, .2, 1)" };
    for (const cell of cells) {
      const old = before.get(cell.dataset.photoId)?.box;
      if (!old) {
        cell.animate([{ opacity: 0 }, { opacity: 1 }], timing);
        continue;
      }
      const box = cell.getBoundingClientRect();
      const [x, y] = [old.left - box.left, old.top - box.top];
      if (x || y) cell.animate([{ transform: `translate(${x}px, ${y}px)` }, { transform: "none" }], timing);
    }
  }

  #rove(index) {
    const cards = this.#cards;
    this.#focused = Math.max(0, Math.min(index, cards.length - 1));
    cards.forEach((card, i) => {
      card.tabIndex = i === this.#focused ? 0 : -1;
      card.parentElement.querySelector(".pick").tabIndex = card.tabIndex;
    });
  }

  #keydown(event) {
    const step = this.#steps()[event.key];
    if (step === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const target = this.#focused + step;
    if (target >= 0 && target < this.#hits.length) this.focus(target);
  }

  /** How far each key moves, with as many columns as the style sheet gives just now. */
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
