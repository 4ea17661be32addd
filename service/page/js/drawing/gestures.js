/**
 * What moves and scales instead of drawing: two fingers, the wheel, and any pointer while the tool "move" is chosen. Points are in
 * units of the canvas, 256 on a side, whatever the view.
 */

import { scaledAround } from "./transform.js";

/** A wheel has no end: after so long without it, it has ended. */
const WHEEL_END_MS = 250;
const WHEEL_SPEED = 0.0016;

/** @typedef {import("./transform.js").Transform} Transform */
/** @typedef {[x: number, y: number]} Place */
/**
 * @typedef {{place: (event: MouseEvent) => Place, isMoving: () => boolean, isZoomed: () => boolean, mayInterrupt: () => boolean,
 *   onChange: (change: Transform) => void, onEnd: () => void}} Surface   isMoving: the tool "move" is chosen; mayInterrupt: the line
 *   that is being drawn was the first of two fingers; onChange: of what is seen; onEnd: the gesture is over
 */

export class Gestures {
  /** @type {Map<number, Place>} the pointers that move something, or may soon */
  #places = new Map();
  #active = false;
  #surface;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #wheelTimer;

  /** @param {HTMLElement} canvas @param {Surface} surface */
  constructor(canvas, surface) {
    this.#surface = surface;
    canvas.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
  }

  /** @param {PointerEvent} event @returns {boolean} whether it is no drawing */
  down(event) {
    const touch = event.pointerType === "touch";
    if (touch || this.#surface.isMoving()) this.#places.set(event.pointerId, this.#surface.place(event));
    if (this.#active) return true;
    const second = this.#places.size === 2 && this.#surface.mayInterrupt();
    if (!second && !this.#surface.isMoving()) return false;
    this.#active = true;
    return true;
  }

  /** @param {PointerEvent} event @returns {boolean} whether it is no drawing */
  move(event) {
    const before = this.#places.get(event.pointerId);
    if (!before) return false;
    const place = this.#surface.place(event);
    this.#places.set(event.pointerId, place);
    if (!this.#active) return false;
    const other = [...this.#places].find(([id]) => id !== event.pointerId)?.[1];
    this.#surface.onChange(other ? pinched(before, place, other) : { scale: 1, x: place[0] - before[0], y: place[1] - before[1] });
    return true;
  }

  /** @param {{pointerId: number}} event */
  up(event) {
    this.#places.delete(event.pointerId);
    if (!this.#active || this.#places.size) return;
    this.#active = false;
    this.#surface.onEnd();
  }

  /** @param {WheelEvent} event */
  #wheel(event) {
    const moving = this.#surface.isMoving();
    // A pinch on a touch pad comes as a wheel with Ctrl. A plain wheel scrolls the page, unless there is something to move here.
    if (!moving && !event.ctrlKey && !this.#surface.isZoomed()) return;
    event.preventDefault();
    const [x, y] = this.#surface.place(event);
    const speed = event.ctrlKey ? 4 * WHEEL_SPEED : WHEEL_SPEED;
    const zooms = moving || event.ctrlKey;
    this.#surface.onChange(zooms ? scaledAround(Math.exp(-event.deltaY * speed), x, y) : { scale: 1, x: -event.deltaX / 3, y: -event.deltaY / 3 });
    clearTimeout(this.#wheelTimer);
    this.#wheelTimer = setTimeout(() => this.#active || this.#surface.onEnd(), WHEEL_END_MS);
  }
}

/** One finger moves, the other rests: what was under each of them stays there, but for turning. @param {Place} before @param {Place} after @param {Place} other @returns {Transform} */
function pinched(before, after, other) {
  const apart = (/** @type {Place} */ place) => Math.max(1, Math.hypot(place[0] - other[0], place[1] - other[1]));
  const scale = apart(after) / apart(before);
  const middle = (/** @type {Place} */ place, /** @type {0 | 1} */ axis) => (place[axis] + other[axis]) / 2;
  return { scale, x: middle(after, 0) - scale * middle(before, 0), y: middle(after, 1) - scale * middle(before, 1) };
}
