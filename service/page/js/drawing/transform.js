/**
 * A drawing moved and scaled as a whole, and the part of the board's plane that is in sight.
 *
 * @typedef {{scale: number, x: number, y: number}} Transform   a point p becomes scale * p + (x, y)
 */

import { BOARD_UNITS } from "./drawing.js";

/** @typedef {import("./drawing.js").Drawing} Drawing */
/** @typedef {import("./drawing.js").Line} Line */

/** @type {Transform} */
export const IDENTITY = Object.freeze({ scale: 1, x: 0, y: 0 });
/** Further out, a finger draws nothing that it sees; further in, the hand shakes. */
const MIN_ZOOM = 0.5;
const MAX_ZOOM = 8;

/** @param {Drawing} drawing @param {Transform} by @returns {Drawing} lines keep their width: the models know even ones */
export function transformed(drawing, by) {
  return drawing.map((mark) => {
    if (mark.kind !== "image") return transformedLine(mark, by);
    const { x, y, side } = mark.frame ?? { x: 0, y: 0, side: BOARD_UNITS };
    return { ...mark, frame: { x: by.scale * x + by.x, y: by.scale * y + by.y, side: by.scale * side } };
  });
}

/** @param {Line} line @param {Transform} by @returns {Line} what an eraser took stays its share of the drawing */
function transformedLine(line, { scale, x, y }) {
  /** @type {import("./drawing.js").Point[]} */
  const points = line.points.map(([px, py, ...pressure]) => [twentieth(scale * px + x), twentieth(scale * py + y), ...pressure]);
  return { ...line, width: line.kind === "eraser" ? line.width * scale : line.width, points };
}

/** @param {number} value @returns {number} */
function twentieth(value) {
  return Math.round(value * 20) / 20;
}

/** @param {number} factor @param {number} x @param {number} y @returns {Transform} scales around a point */
export function scaledAround(factor, x, y) {
  return { scale: factor, x: x * (1 - factor), y: y * (1 - factor) };
}

/** @param {Transform} view @param {Transform} change of what is seen @returns {Transform} the next view, within its limits */
export function nextView(view, change) {
  const scale = Math.min(MAX_ZOOM, Math.max(MIN_ZOOM, change.scale * view.scale));
  const factor = scale / view.scale;
  // Where a limit cut the factor, the point that the change leaves in place stays there.
  const keep = change.scale === 1 ? 1 : (1 - factor) / (1 - change.scale);
  const next = { scale, x: factor * view.x + keep * change.x, y: factor * view.y + keep * change.y };
  return { scale, x: inSight(next.x, scale), y: inSight(next.y, scale) };
}

/** @param {number} offset @param {number} scale @returns {number} half of the board's paper stays in sight */
function inSight(offset, scale) {
  const half = BOARD_UNITS / 2;
  return Math.min(half, Math.max(half - BOARD_UNITS * scale, offset));
}

/** @param {Transform} change of what is seen through `view` @param {Transform} view @returns {Transform} of the drawing itself */
export function behindView(change, view) {
  return {
    scale: change.scale,
    x: (change.scale * view.x + change.x - view.x) / view.scale,
    y: (change.scale * view.y + change.y - view.y) / view.scale,
  };
}

/**
 * @param {Drawing} drawing
 * @param {{fills?: boolean}} [options] fills: it is scaled up, too
 * @returns {Drawing} the same where it is on the board, else moved and scaled onto it
 */
export function ontoBoard(drawing, { fills = false } = {}) {
  const box = extent(drawing);
  const inside = box && box.left >= 0 && box.top >= 0 && box.right <= BOARD_UNITS && box.bottom <= BOARD_UNITS;
  if (!box || (inside && !fills)) return drawing;
  const largest = fills ? Infinity : 1;
  const scale = Math.min(largest, BOARD_UNITS / Math.max(1, box.right - box.left, box.bottom - box.top));
  const x = (BOARD_UNITS - scale * (box.left + box.right)) / 2;
  const y = (BOARD_UNITS - scale * (box.top + box.bottom)) / 2;
  return transformed(drawing, { scale, x, y });
}

/** @param {Drawing} drawing @returns {{left: number, top: number, right: number, bottom: number} | null} without its erasers */
export function extent(drawing) {
  const box = { left: Infinity, top: Infinity, right: -Infinity, bottom: -Infinity };
  const take = (/** @type {number} */ x, /** @type {number} */ y) => {
    box.left = Math.min(box.left, x);
    box.right = Math.max(box.right, x);
    box.top = Math.min(box.top, y);
    box.bottom = Math.max(box.bottom, y);
  };
  for (const mark of drawing) {
    if (mark.kind === "stroke") for (const [x, y] of mark.points) take(x, y);
    if (mark.kind === "image") {
      const { x, y, side } = mark.frame ?? { x: 0, y: 0, side: BOARD_UNITS };
      take(x, y);
      take(x + side, y + side);
    }
  }
  return box.right < box.left ? null : box;
}
