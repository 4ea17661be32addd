/** The canvas of the board: shows the drawing as the view has it, and says where on it a pointer is. */

import { context2d } from "../element.js";
import { observeSize } from "../features.js";
import { BOARD_UNITS, paint } from "./drawing.js";
import { IDENTITY, nextView } from "./transform.js";

/** @typedef {import("./drawing.js").Drawing} Drawing */
/** @typedef {import("./transform.js").Transform} Transform */

export class Surface {
  /** What part of the plane is in sight. @type {Transform} */
  view = IDENTITY;
  #canvas;
  #context;
  #finished = document.createElement("canvas");
  #frame = 0;
  #read;

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {{finished: () => Drawing, line: () => import("./drawing.js").Line | null}} read the marks that are done, and the line that is
   *   being drawn
   */
  constructor(canvas, read) {
    this.#canvas = canvas;
    this.#context = context2d(canvas);
    this.#read = read;
    observeSize(canvas, () => this.#resize());
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.repaint());
  }

  /** @param {Transform} change of what is seen */
  see(change) {
    this.view = nextView(this.view, change);
    this.repaint();
  }

  showAll() {
    this.view = IDENTITY;
    this.repaint();
  }

  /** @param {MouseEvent} event @returns {[x: number, y: number]} in units of the canvas, 256 on a side */
  place(event) {
    const box = this.#canvas.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * BOARD_UNITS, ((event.clientY - box.top) / box.height) * BOARD_UNITS];
  }

  /** @param {PointerEvent} event @returns {import("./drawing.js").Point} in board units, to a twentieth */
  point(event) {
    const [seenX, seenY] = this.place(event);
    const x = Math.round(((seenX - this.view.x) / this.view.scale) * 20) / 20;
    const y = Math.round(((seenY - this.view.y) / this.view.scale) * 20) / 20;
    return event.pointerType === "pen" ? [x, y, Math.round(event.pressure * 100) / 100] : [x, y];
  }

  /** Paints the finished marks once, so that a frame of a long drawing costs one copy and one line. */
  repaint() {
    this.#finished.width = this.#finished.height = this.#canvas.width;
    const context = context2d(this.#finished);
    this.#scale(context);
    paint(context, this.#read.finished(), this.#ink);
    this.paintSoon();
  }

  /** Paints the line that is being drawn, with the next frame. */
  paintSoon() {
    if (this.#frame) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      const side = this.#canvas.width;
      this.#context.setTransform(1, 0, 0, 1, 0, 0);
      this.#context.clearRect(0, 0, side, side);
      this.#context.drawImage(this.#finished, 0, 0);
      this.#scale(this.#context);
      const line = this.#read.line();
      if (line) paint(this.#context, [line], this.#ink);
    });
  }

  #resize() {
    const side = Math.max(1, Math.round(this.#canvas.clientWidth * devicePixelRatio));
    if (this.#canvas.width === side) return;
    this.#canvas.width = this.#canvas.height = side;
    this.repaint();
  }

  /** To board units, as they are in sight. @param {CanvasRenderingContext2D} context */
  #scale(context) {
    const pixels = this.#canvas.width / BOARD_UNITS;
    const { scale, x, y } = this.view;
    context.setTransform(pixels * scale, 0, 0, pixels * scale, pixels * x, pixels * y);
  }

  /** The style sheet says which colour ink has on this paper. */
  get #ink() {
    return getComputedStyle(this.#canvas).color;
  }
}
