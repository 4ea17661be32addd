/** The tools beside the board: buttons that act on it, and that show what it is set to. */

import { finder } from "../element.js";
import { inTenths, text } from "../texts.js";

const MIN_WIDTH = 1;
const MAX_WIDTH = 8;
const ZOOM_STEP = 1.25;

/** @typedef {import("./board.js").Board} Board */

export class Tools {
  #board;
  #root;
  #find;
  #width;

  /** @param {HTMLElement} root @param {Board} board */
  constructor(root, board) {
    this.#root = root;
    this.#board = board;
    this.#find = finder(root);
    this.#width = this.#find("stroke-width", HTMLInputElement);
    this.#find("pen").addEventListener("click", () => this.choose("pen"));
    this.#find("eraser").addEventListener("click", () => this.choose(board.tool === "eraser" ? "pen" : "eraser"));
    this.#find("move").addEventListener("click", () => this.choose(board.tool === "move" ? "pen" : "move"));
    this.#find("zoom-in").addEventListener("click", () => board.zoomBy(ZOOM_STEP));
    this.#find("zoom-out").addEventListener("click", () => board.zoomBy(1 / ZOOM_STEP));
    this.#find("zoom-reset").addEventListener("click", () => board.resetView());
    this.#find("undo").addEventListener("click", () => board.undo());
    this.#find("redo").addEventListener("click", () => board.redo());
    this.#find("flip").addEventListener("click", () => board.flip());
    this.#find("clear").addEventListener("click", () => board.clear());
    this.#width.addEventListener("input", () => this.#setWidth(this.#width.valueAsNumber));
    this.#setWidth(board.strokeWidth);
  }

  /** @param {Board["tool"]} tool */
  choose(tool) {
    this.#board.tool = tool;
    for (const name of ["pen", "eraser", "move"]) this.#find(name).setAttribute("aria-pressed", String(tool === name));
    this.#root.classList.toggle("is-erasing", tool === "eraser");
    this.#root.classList.toggle("is-moving", tool === "move");
    this.showView();
  }

  /** @param {number} step in board units; negative: thinner */
  changeWidth(step) {
    this.#setWidth(Math.min(MAX_WIDTH, Math.max(MIN_WIDTH, this.#board.strokeWidth + step)));
  }

  /** One step nearer, or back; while the drawing is being moved, it is scaled. @param {1 | -1} direction */
  zoom(direction) {
    const factor = direction > 0 ? ZOOM_STEP : 1 / ZOOM_STEP;
    if (this.#board.tool === "move") this.#board.scaleBy(factor);
    else this.#board.zoomBy(factor);
  }

  /** Which part of the plane is in sight, and the buttons for it. */
  showView() {
    const zoom = this.#board.zoom;
    const reset = this.#find("zoom-reset");
    this.#find("zoom").hidden = zoom === 1 && this.#board.tool !== "move";
    reset.textContent = text("percent", { count: Math.round(100 * zoom) });
    reset.setAttribute("aria-label", text("zoom.now", { count: Math.round(100 * zoom) }));
  }

  /** Enables what can be done with the board as it is now. */
  refresh() {
    this.#enable("undo", this.#board.canUndo);
    this.#enable("redo", this.#board.canRedo);
    this.#enable("flip", this.#board.drawing.length > 0);
    this.#enable("clear", this.#board.drawing.length > 0);
  }

  /** @param {number} width in board units */
  #setWidth(width) {
    this.#board.strokeWidth = width;
    this.#width.value = String(width);
    this.#width.setAttribute("aria-valuetext", text("tools.width_of", { width: inTenths(width), most: MAX_WIDTH }));
    this.#root.style.setProperty("--stroke-width", String(width));
  }

  /**
   * A disabled button loses the focus, which would send a keyboard back to the top of the page: the pen gets it.
   * @param {string} id
   * @param {boolean} enabled
   */
  #enable(id, enabled) {
    const button = this.#find(id, HTMLButtonElement);
    if (!enabled && document.activeElement === button) {
      this.#find("pen").focus();
    }
    button.disabled = !enabled;
  }
}
