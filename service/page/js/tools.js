/** The tools beside the board: buttons that act on it, and that show what it is set to. */

const MIN_WIDTH = 1;
const MAX_WIDTH = 8;

export class Tools {
  #board;
  #root;

  /** @param {HTMLElement} root @param {import("./canvas.js").Board} board */
  constructor(root, board) {
    this.#root = root;
    this.#board = board;
    this.#find("pen").addEventListener("click", () => this.choose("pen"));
    this.#find("eraser").addEventListener("click", () => this.choose(board.tool === "eraser" ? "pen" : "eraser"));
    this.#find("undo").addEventListener("click", () => board.undo());
    this.#find("redo").addEventListener("click", () => board.redo());
    this.#find("clear").addEventListener("click", () => board.clear());
    this.#find("stroke-width").addEventListener("input", (event) => this.#setWidth(Number(event.target.value)));
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

  /** The board is another one: what can be undone now? */
  refresh() {
    this.#enable("undo", this.#board.canUndo);
    this.#enable("redo", this.#board.canRedo);
    this.#enable("clear", this.#board.drawing.length > 0);
  }

  #setWidth(width) {
    this.#board.strokeWidth = width;
    this.#find("stroke-width").value = String(width);
    this.#find("stroke-width").setAttribute("aria-valuetext", `${width} of ${MAX_WIDTH}`);
    this.#root.style.setProperty("--stroke-width", String(width));
  }

  /** A button that has the focus and can do no more keeps it: a lost focus sends a keyboard back to the top. */
  #enable(id, enabled) {
    const button = this.#find(id);
    if (!enabled && document.activeElement === button) {
      this.#find("pen").focus();
    }
    button.disabled = !enabled;
  }

  #find(id) {
    return this.#root.querySelector(`#${id}`);
  }
}
