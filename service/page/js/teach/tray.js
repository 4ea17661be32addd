/** The tray: each pair as the drawing's picture beside the photo's. */

/** @typedef {import("./lesson.js").Pair} Pair */

export class Tray {
  #list;
  #template;
  #listeners;

  /**
   * @param {HTMLElement} list
   * @param {HTMLTemplateElement} template of one pair
   * @param {{onShow: (pair: Pair) => void, onDraw: (pair: Pair) => void, onRemove: (pair: Pair) => void}} listeners onShow:
   *   its drawing is wanted on the board; onDraw: the board's drawing is one of this photo; onRemove: it is not wanted
   */
  constructor(list, template, listeners) {
    this.#list = list;
    this.#template = template;
    this.#listeners = listeners;
  }

  /** @param {readonly Pair[]} pairs @param {Map<Pair, string>} wrong those that cannot teach, and why not */
  render(pairs, wrong) {
    const before = new Map([...this.#list.children].map((cell) => [cell.dataset.key, cell]));
    const cells = pairs.map((pair, index) => {
      const key = `${pair.id} ${pair.sketch?.key ?? ""}`;
      const cell = before.get(key) ?? this.#newCell(pair, key);
      cell.classList.toggle("is-wrong", wrong.has(pair));
      cell.querySelector(".pair-note").textContent = wrong.get(pair) ?? "";
      cell.querySelector(".pair-number").textContent = `Pair ${index + 1}: `;
      return cell;
    });
    this.#keepFocus(() => this.#list.replaceChildren(...cells));
    this.#list.hidden = pairs.length === 0;
    // On a phone the tray is a strip: the newest pair comes into sight.
    if (pairs.length > before.size && before.size) this.#list.scrollLeft = this.#list.scrollWidth;
  }

  /** @param {Pair} pair @param {string} key of what the cell shows */
  #newCell(pair, key) {
    const { sketch, photo } = pair;
    const cell = this.#template.content.firstElementChild.cloneNode(true);
    cell.dataset.key = key;
    cell.querySelector(".pair-name").textContent = photo.name;
    cell.querySelector(".pair-photo").src = photo.url;
    const show = cell.querySelector(".pair-sketch");
    const draw = cell.querySelector(".pair-draw");
    show.hidden = !sketch;
    draw.hidden = Boolean(sketch);
    if (sketch) show.querySelector("img").src = sketch.url;
    show.querySelector(".hidden-text").textContent = `Put the drawing of ${photo.name} back on the board`;
    draw.setAttribute("aria-label", `I drew this: the drawing on the board is ${photo.name}`);
    cell.querySelector(".pair-remove .hidden-text").textContent = `Remove ${photo.name}`;
    show.addEventListener("click", () => this.#listeners.onShow(pair));
    draw.addEventListener("click", () => this.#listeners.onDraw(pair));
    cell.querySelector(".pair-remove").addEventListener("click", () => this.#listeners.onRemove(pair));
    return cell;
  }

  /** A keyboard that removes one pair goes on with its neighbour. */
  #keepFocus(change) {
    const focused = document.activeElement;
    const index = [...this.#list.children].findIndex((cell) => cell.contains(focused));
    change();
    if (index < 0 || this.#list.contains(focused)) return;
    const cells = this.#list.children;
    const next = cells[Math.min(index, cells.length - 1)];
    (next?.querySelector(".pair-remove") ?? this.#list.closest("section").querySelector("h2")).focus();
  }
}
