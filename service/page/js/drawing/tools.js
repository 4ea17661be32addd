/** The tools beside the board: buttons that act on it, and that show what it is set to. */

import { finder } from "../element.js";

const MIN_WIDTH = 1;
const MAX_WIDTH = 8;

export class Tools {
  #board;
  #root;
  #find;
  #width;

  /** @param {HTMLElement} root @param {import("./board.js").Board} board */
  constructor(root, board) {
    this.#root = root;
    this.#board = board;
    this.#find = finder(root);
    this.#width = this.#find("stroke-width", HTMLInputElement);
    this.#find("pen").addEventListener("click", () => this.choose("pen"));
    this.#find("eraser").addEventListener("click", () => this.choose(board.tool === "eraser" ? "pen" : "eraser"));
    this.#find("undo").addEventListener("click", () => board.undo());
    this.#find("redo").addEventListener("click", () => board.redo());
    this.#find("flip").addEventListener("click", () => board.flip());
    this.#find("clear").addEventListener("click", () => board.clear());
    this.#width.addEventListener("input", () => this.#setWidth(this.#width.valueAsNumber));
    this.#setWidth(board.strokeWidth);
  }

  /** @param {"pen" | "eraser"} tool */
  choose(tool) {
    this.#board.tool = tool;
    this.#find("pen").setAttribute("aria-pressed", String(tool === "pen"));
    this.#find("eraser").setAttribute("aria-pressed", String(tool === "eraser"));
    this.#root.classList.toggle("is-erasing", tool === "eraser");
  }

  /** @param {number} step in board units; negative: thinner */
  changeWidth(step) {
    this.#setWidth(Math.min(MAX_WIDTH, Math.max(MIN_WIDTH, this.#board.strokeWidth + step)));
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
    this.#width.setAttribute("aria-valuetext", `${width} of ${MAX_WIDTH}`);
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
