/** The drawing board: turns pointer events into marks and keeps the canvas showing them. */

import { query } from "../element.js";
import { BOARD_UNITS, EMPTY, describe, flipped, hasPicture, isBlank } from "./drawing.js";
import { EraserRing } from "./eraser_ring.js";
import { Gestures } from "./gestures.js";
import { History } from "./history.js";
import { Surface } from "./surface.js";
import { behindView, scaledAround, transformed } from "./transform.js";

/** A wider eraser than the pen: one rubs out a line, not a part of its width. */
const ERASER_FACTOR = 6;
/** Points nearer than this (in board units) add nothing that can be seen. */
const MIN_STEP = 0.5;
/** So long after the pen, a touch is the hand that holds it; a palm that lands earlier than that gives way to the pen. */
const PALM_MS = 3000;
/** In PointerEvent.buttons: the eraser end of a pen. */
const PEN_ERASER_BUTTON = 32;
/** A line of no more than this (in board units) may be the first of two fingers; a longer one is meant, and goes on. */
const YOUNG_LINE = 16;

/** @typedef {import("./drawing.js").Drawing} Drawing */
/** @typedef {import("./drawing.js").Line} Line */

export class Board {
  /** @type {"pen" | "eraser" | "move"} */
  tool = "pen";
  strokeWidth = 2.5;
  /** @type {History<Drawing>} */
  #history = new History(EMPTY);
  #root;
  #canvas;
  #surface;
  #ring;
  #gestures;
  /** @type {Drawing | null} the drawing as it is being moved, before it is one to undo */
  #moved = null;
  /** @type {Line | null} the stroke that is being drawn */
  #line = null;
  /** @type {{id: number, type: string} | null} what draws it */
  #pointer = null;
  #penAt = -Infinity;
  #onChange;
  #onDraft;
  #onLeave;
  #onView;

  /**
   * @param {HTMLElement} root holds the canvas and the ring that shows the eraser
   * @param {{onChange: () => void, onDraft: () => void, onLeave: (drawing: Drawing) => void, onView: () => void}} listeners onChange:
   *   the drawing is another one; onDraft: a stroke is still being drawn, and is part of `drawing` already; onLeave: a drawing makes
   *   place for another one; onView: another part of the plane is in sight
   */
  constructor(root, { onChange, onDraft, onLeave, onView }) {
    this.#root = root;
    this.#canvas = query(root, "canvas", HTMLCanvasElement);
    this.#surface = new Surface(this.#canvas, { finished: () => this.#moved ?? this.#history.present, line: () => this.#line });
    this.#ring = new EraserRing(query(root, ".eraser-ring", HTMLElement), this.#canvas);
    this.#onChange = onChange;
    this.#onDraft = onDraft;
    this.#onLeave = onLeave;
    this.#onView = onView;
    this.#gestures = new Gestures(this.#canvas, {
      place: (event) => this.#surface.place(event),
      isMoving: () => this.tool === "move",
      isZoomed: () => this.zoom !== 1,
      mayInterrupt: () => this.#giveUpYoungLine(),
      onChange: (change) => this.#gesture(change),
      onEnd: () => this.#endMove(),
    });
    this.#listen();
  }

  /** All that can be seen, an unfinished stroke too. @returns {Drawing} */
  get drawing() {
    const drawing = this.#moved ?? this.#history.present;
    return this.#line ? [...drawing, this.#line] : drawing;
  }

  get canUndo() {
    return this.#history.canUndo;
  }

  get canRedo() {
    return this.#history.canRedo;
  }

  /** @returns {number} how large the board's paper is shown; 1: whole */
  get zoom() {
    return this.#surface.view.scale;
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
    if (!this.#line && this.#history.present.length) this.open(EMPTY);
  }

  /** Puts another drawing on the board, in sight. @param {Drawing} drawing */
  open(drawing) {
    this.#onLeave(this.#history.present);
    this.resetView();
    this.replace(drawing);
  }

  /** Moves the drawing, or what is seen of it. @param {{x: number, y: number}} by in units of what is seen */
  shift({ x, y }) {
    this.#gesture({ scale: 1, x, y });
    this.#endMove();
  }

  /** Scales the drawing while it is being moved, else the view, around the middle of what is seen. @param {number} factor */
  scaleBy(factor) {
    this.#gesture(scaledAround(factor, BOARD_UNITS / 2, BOARD_UNITS / 2));
    this.#endMove();
  }

  /** Zooms the view around its middle. @param {number} factor */
  zoomBy(factor) {
    this.#surface.see(scaledAround(factor, BOARD_UNITS / 2, BOARD_UNITS / 2));
    this.#onView();
  }

  resetView() {
    this.#surface.showAll();
    this.#onView();
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
    canvas.addEventListener("pointerleave", () => this.#ring.hide());
    // Without this, Safari selects text or scrolls under a finger that draws, touch-action or not.
    canvas.addEventListener("touchstart", (event) => event.preventDefault(), { passive: false });
  }

  /** @param {PointerEvent} event */
  #down(event) {
    const penEraser = (event.buttons & PEN_ERASER_BUTTON) !== 0;
    if (this.#isPalm(event) || (event.button !== 0 && !penEraser)) return;
    if (this.#gestures.down(event)) {
      this.#capture(event);
      return;
    }
    if (this.#pointer) return;
    this.#pointer = { id: event.pointerId, type: event.pointerType };
    this.#capture(event);
    const erase = penEraser || this.tool === "eraser";
    this.#line = { kind: erase ? "eraser" : "stroke", width: this.strokeWidth * (erase ? ERASER_FACTOR : 1), points: [this.#surface.point(event)] };
    this.#root.classList.add("is-drawing");
    this.#showRing(event);
    this.#surface.paintSoon();
  }

  /** @param {PointerEvent} event */
  #capture(event) {
    try {
      this.#canvas.setPointerCapture(event.pointerId);
    } catch {
      // The pointer is gone already; its stroke is a dot.
    }
  }

  /** @returns {boolean} whether a second finger makes a gesture: the line of the first one is taken back */
  #giveUpYoungLine() {
    const line = this.#line;
    if (!line || !this.#pointer) return true;
    const [[x, y]] = line.points;
    if (line.points.some((point) => Math.hypot(point[0] - x, point[1] - y) > YOUNG_LINE)) return false;
    this.#endLine(false); // but for the gesture, that finger is still down
    return true;
  }

  /** @param {import("./transform.js").Transform} change of what is seen */
  #gesture(change) {
    if (this.tool !== "move") {
      this.#surface.see(change);
      this.#onView();
      return;
    }
    if (this.#history.present.length === 0) return;
    this.#moved = transformed(this.#moved ?? this.#history.present, behindView(change, this.#surface.view));
    this.#surface.repaint();
    this.#onDraft();
  }

  /** What was moved is a drawing of its own now. */
  #endMove() {
    const moved = this.#moved;
    this.#moved = null;
    if (moved) this.replace(moved);
  }

  /**
   * Whether a touch is the hand that holds the pen. A pen that comes down takes back the line of a palm before it.
   * @param {PointerEvent} event
   */
  #isPalm(event) {
    if (event.pointerType === "pen") {
      if (this.#pointer?.type === "touch") {
        this.#gestures.up({ pointerId: this.#pointer.id });
        this.#up({ pointerId: this.#pointer.id }, false);
      }
      this.#penAt = event.timeStamp;
    }
    return event.pointerType === "touch" && event.timeStamp - this.#penAt < PALM_MS;
  }

  /** @param {PointerEvent} event */
  #move(event) {
    if (event.pointerType === "pen") this.#penAt = event.timeStamp;
    if (this.#gestures.move(event)) return;
    this.#showRing(event);
    const line = this.#line;
    if (!line || event.pointerId !== this.#pointer?.id) return;
    const coalesced = event.getCoalescedEvents?.() ?? [];
    for (const sample of coalesced.length ? coalesced : [event]) {
      const point = this.#surface.point(sample);
      const last = line.points[line.points.length - 1];
      if (Math.hypot(point[0] - last[0], point[1] - last[1]) >= MIN_STEP) line.points.push(point);
    }
    this.#surface.paintSoon();
    this.#onDraft();
  }

  /** @param {{pointerId: number}} event @param {boolean} keep whether the stroke joins the drawing */
  #up(event, keep) {
    this.#gestures.up(event);
    if (event.pointerId === this.#pointer?.id) this.#endLine(keep);
  }

  /** @param {boolean} keep whether the stroke joins the drawing */
  #endLine(keep) {
    const line = this.#line;
    if (!line) return;
    this.#pointer = this.#line = null;
    this.#root.classList.remove("is-drawing");
    if (keep) this.add(line);
    else this.#changed();
  }

  /** The eraser's size, where it is. @param {PointerEvent} event */
  #showRing(event) {
    const shown = this.#line ? this.#line.kind === "eraser" : this.tool === "eraser" && event.pointerType !== "touch";
    if (shown) this.#ring.show(event, (this.strokeWidth * ERASER_FACTOR * this.zoom) / BOARD_UNITS);
    else this.#ring.hide();
  }

  #changed() {
    const drawing = this.drawing;
    this.#root.classList.toggle("is-blank", isBlank(drawing));
    this.#root.classList.toggle("has-picture", hasPicture(drawing));
    this.#canvas.setAttribute("aria-label", describe(drawing));
    this.#surface.repaint();
    this.#onChange();
  }
}
