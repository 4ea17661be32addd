/** The drawing board: turns pointer events into marks and keeps the canvas showing them. */

import { context2d, query } from "../element.js";
import { BOARD_UNITS, EMPTY, describe, flipped, hasPicture, isBlank, paint } from "./drawing.js";
import { History } from "./history.js";

/** A wider eraser than the pen: one rubs out a line, not a part of its width. */
const ERASER_FACTOR = 6;
/** Points nearer than this (in board units) add nothing that can be seen. */
const MIN_STEP = 0.5;
/** So long after the pen, a touch is the hand that holds it; a palm that lands earlier than that gives way to the pen. */
const PALM_MS = 3000;
/** In PointerEvent.buttons: the eraser end of a pen. */
const PEN_ERASER_BUTTON = 32;

/** @typedef {import("./drawing.js").Drawing} Drawing */
/** @typedef {import("./drawing.js").Line} Line */

export class Board {
  /** @type {"pen" | "eraser"} */
  tool = "pen";
  strokeWidth = 2.5;
  /** @type {History<Drawing>} */
  #history = new History(EMPTY);
  #root;
  #canvas;
  #context;
  #ring;
  #finished = document.createElement("canvas");
  /** @type {Line | null} the stroke that is being drawn */
  #line = null;
  /** @type {{id: number, type: string} | null} what draws it */
  #pointer = null;
  #penAt = -Infinity;
  #frame = 0;
  #onChange;
  #onDraft;

  /**
   * @param {HTMLElement} root holds the canvas and the ring that shows the eraser
   * @param {{onChange: () => void, onDraft: () => void}} listeners onChange: the drawing is another one;
   *   onDraft: a stroke is still being drawn, and is part of `drawing` already
   */
  constructor(root, { onChange, onDraft }) {
    this.#root = root;
    this.#canvas = query(root, "canvas", HTMLCanvasElement);
    this.#context = context2d(this.#canvas);
    this.#ring = query(root, ".eraser-ring", HTMLElement);
    this.#onChange = onChange;
    this.#onDraft = onDraft;
    this.#listen();
  }

  /** All that can be seen, an unfinished stroke too. @returns {Drawing} */
  get drawing() {
    return this.#line ? [...this.#history.present, this.#line] : this.#history.present;
  }

  get canUndo() {
    return this.#history.canUndo;
  }

  get canRedo() {
    return this.#history.canRedo;
  }

  undo() {
    if (!this.#line && this.#history.undo()) this.#changed();
  }

  redo() {
    if (!this.#line && this.#history.redo()) this.#changed();
  }

  /** Exchanges left and right. */
  flip() {
    if (!this.#line && this.#history.present.length) this.replace(flipped(this.#history.present));
  }

  clear() {
    if (!this.#line && this.#history.present.length) this.replace(EMPTY);
  }

  /** Adds a mark on top. @param {import("./drawing.js").Line | import("./drawing.js").Picture} mark */
  add(mark) {
    this.replace([...this.#history.present, mark]);
  }

  /** Puts another drawing in place of the present one; undo brings it back. @param {Drawing} drawing */
  replace(drawing) {
    this.#history.push(drawing);
    this.#changed();
  }

  /** Starts anew from a drawing that was kept, with nothing to undo. @param {Drawing} drawing */
  restore(drawing) {
    this.#history = new History(drawing);
    this.#changed();
  }

  #listen() {
    const canvas = this.#canvas;
    canvas.addEventListener("pointerdown", (event) => this.#down(event));
    canvas.addEventListener("pointermove", (event) => this.#move(event));
    canvas.addEventListener("pointerup", (event) => this.#up(event, true));
    canvas.addEventListener("lostpointercapture", (event) => this.#up(event, true));
    // The system took the pointer away (a palm, a gesture): what it drew was not meant.
    canvas.addEventListener("pointercancel", (event) => this.#up(event, false));
    canvas.addEventListener("pointerleave", () => this.#ring.toggleAttribute("hidden", true));
    // Without this, Safari selects text or scrolls under a finger that draws, touch-action or not.
    canvas.addEventListener("touchstart", (event) => event.preventDefault(), { passive: false });
    new ResizeObserver(() => this.#resize()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#repaint());
  }

  /** @param {PointerEvent} event */
  #down(event) {
    const penEraser = (event.buttons & PEN_ERASER_BUTTON) !== 0;
    if (this.#isPalm(event) || this.#pointer || (event.button !== 0 && !penEraser)) return;
    this.#pointer = { id: event.pointerId, type: event.pointerType };
    try {
      this.#canvas.setPointerCapture(event.pointerId);
    } catch {
      // The pointer is gone already; the stroke is a dot.
    }
    const erase = penEraser || this.tool === "eraser";
    this.#line = { kind: erase ? "eraser" : "stroke", width: this.strokeWidth * (erase ? ERASER_FACTOR : 1), points: [this.#point(event)] };
    this.#root.classList.add("is-drawing");
    this.#showRing(event);
    this.#schedulePaint();
  }

  /**
   * Whether a touch is the hand that holds the pen. A pen that comes down takes back the line of a palm before it.
   * @param {PointerEvent} event
   */
  #isPalm(event) {
    if (event.pointerType === "pen") {
      if (this.#pointer?.type === "touch") this.#up({ pointerId: this.#pointer.id }, false);
      this.#penAt = event.timeStamp;
    }
    return event.pointerType === "touch" && event.timeStamp - this.#penAt < PALM_MS;
  }

  /** @param {PointerEvent} event */
  #move(event) {
    if (event.pointerType === "pen") this.#penAt = event.timeStamp;
    this.#showRing(event);
    const line = this.#line;
    if (!line || event.pointerId !== this.#pointer?.id) return;
    const coalesced = event.getCoalescedEvents?.() ?? [];
    for (const sample of coalesced.length ? coalesced : [event]) {
      const point = this.#point(sample);
      const last = line.points[line.points.length - 1];
      if (Math.hypot(point[0] - last[0], point[1] - last[1]) >= MIN_STEP) line.points.push(point);
    }
    this.#schedulePaint();
    this.#onDraft();
  }

  /** @param {{pointerId: number}} event @param {boolean} keep whether the stroke joins the drawing */
  #up(event, keep) {
    const line = this.#line;
    if (!line || event.pointerId !== this.#pointer?.id) return;
    this.#pointer = this.#line = null;
    this.#root.classList.remove("is-drawing");
    if (keep) this.add(line);
    else this.#changed();
  }

  /** @param {PointerEvent} event @returns {import("./drawing.js").Point} in board units, to a twentieth */
  #point(event) {
    const box = this.#canvas.getBoundingClientRect();
    const x = Math.round(((event.clientX - box.left) / box.width) * BOARD_UNITS * 20) / 20;
    const y = Math.round(((event.clientY - box.top) / box.height) * BOARD_UNITS * 20) / 20;
    return event.pointerType === "pen" ? [x, y, Math.round(event.pressure * 100) / 100] : [x, y];
  }

  /** The eraser's size, where it is. @param {PointerEvent} event */
  #showRing(event) {
    const shown = this.#line ? this.#line.kind === "eraser" : this.tool === "eraser" && event.pointerType !== "touch";
    this.#ring.toggleAttribute("hidden", !shown);
    if (!shown) return;
    const box = this.#canvas.getBoundingClientRect();
    const size = (this.strokeWidth * ERASER_FACTOR * box.width) / BOARD_UNITS;
    this.#ring.style.width = this.#ring.style.height = `${size}px`;
    this.#ring.style.transform = `translate(${event.clientX - box.left - size / 2}px, ${event.clientY - box.top - size / 2}px)`;
  }

  #changed() {
    const drawing = this.drawing;
    this.#root.classList.toggle("is-blank", isBlank(drawing));
    this.#root.classList.toggle("has-picture", hasPicture(drawing));
    this.#canvas.setAttribute("aria-label", `Drawing board, ${describe(drawing)}`);
    this.#repaint();
    this.#onChange();
  }

  #resize() {
    const side = Math.max(1, Math.round(this.#canvas.clientWidth * devicePixelRatio));
    if (this.#canvas.width === side) return;
    this.#canvas.width = this.#canvas.height = side;
    this.#repaint();
  }

  /** Paints the finished marks once, so that a frame of a long drawing costs one copy and one line. */
  #repaint() {
    const side = this.#canvas.width;
    this.#finished.width = this.#finished.height = side;
    const context = context2d(this.#finished);
    context.scale(side / BOARD_UNITS, side / BOARD_UNITS);
    paint(context, this.#history.present, this.#ink);
    this.#schedulePaint();
  }

  #schedulePaint() {
    if (this.#frame) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      const side = this.#canvas.width;
      this.#context.setTransform(1, 0, 0, 1, 0, 0);
      this.#context.clearRect(0, 0, side, side);
      this.#context.drawImage(this.#finished, 0, 0);
      this.#context.scale(side / BOARD_UNITS, side / BOARD_UNITS);
      if (this.#line) paint(this.#context, [this.#line], this.#ink);
    });
  }

  /** The style sheet says which colour ink has on this paper. */
  get #ink() {
    return getComputedStyle(this.#canvas).color;
  }
}
