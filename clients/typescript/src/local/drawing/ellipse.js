/**
 * Filled circles and parts of them, row by row as Pillow draws them, to the bit (libImaging/Draw.c).
 *
 * @import { Plane } from "../pixels/plane.js"
 * @typedef {readonly [y: number, left: number, right: number]} Row   on a grid whose middle is 0, with steps of 2
 * @typedef {readonly [a: number, b: number, c: number]} HalfPlane   a x + b y + c >= 0
 */

import { blackRow, roundUp } from "./polygon.js";

/** @param {Plane} canvas @param {number} x @param {number} y @param {number} radius */
export function disc(canvas, x, y, radius) {
  const [x0, y0, x1, y1] = [x - radius, y - radius, x + radius, y + radius].map(Math.trunc);
  for (const row of rowsOf(x1 - x0, y1 - y0)) draw(canvas, row, x0, y0, x1 - x0, y1 - y0);
}

/**
 * @param {Plane} canvas
 * @param {readonly [x0: number, y0: number, x1: number, y1: number]} box
 * @param {number} start in degrees, clockwise from three o'clock
 * @param {number} end
 */
export function pie(canvas, box, start, end) {
  const [x0, y0, x1, y1] = box.map(Math.trunc);
  const [a, b] = [x1 - x0, y1 - y0];
  const [from, to] = normalised(start, end);
  if (from === to) return;
  const isWhole = from + 360 === to;
  const [xl, xr] = [from, to].map((angle) => a * Math.cos((angle * Math.PI) / 180));
  const [yl, yr] = [from, to].map((angle) => b * Math.sin((angle * Math.PI) / 180));
  const wide = to - from >= 180;
  for (const [y, left, right] of rowsOf(a, b)) {
    let parts = /** @type {(readonly [number, number])[]} */ ([[left, right]]);
    if (!isWhole) {
      const before = clip([-yl, xl, 0], left, y, right);
      const after = clip([yr, -xr, 0], left, y, right);
      parts = wide ? union(before, after) : intersection(before, after);
      // Against spikes.
      if (to - from < 90) parts = intersection(parts, clip([(xl + xr) / 2, (yl + yr) / 2, 0], left, y, right));
    }
    for (const [first, last] of parts) draw(canvas, [y, first, last], x0, y0, a, b);
  }
}

/** @param {Plane} canvas @param {Row} row @param {number} x0 @param {number} y0 @param {number} a @param {number} b */
function draw(canvas, [y, left, right], x0, y0, a, b) {
  blackRow(canvas, x0 + Math.trunc((left + a) / 2), y0 + Math.trunc((y + b) / 2), x0 + Math.trunc((right + a) / 2));
}

/** @param {number} start @param {number} end @returns {[number, number]} in single precision; the first in [0, 360) */
function normalised(start, end) {
  let [from, to] = [Math.fround(start), Math.fround(end)];
  if (Math.fround(to - from) >= 360) return [0, 360];
  from = Math.fround((from < 0 ? 360 - (-from % 360) : from) % 360);
  to = Math.fround(from + ((to < from ? 360 - (Math.fround(from - to) % 360) : Math.fround(to - from)) % 360));
  return [from, to];
}

/** @param {number} a diameter across @param {number} b diameter down @returns {Row[]} */
function rowsOf(a, b) {
  /** @type {Map<number, number>} the widest point of each row of the upper right quarter */
  const widest = new Map();
  for (const [x, y] of quarter(a, b)) if (!widest.has(y)) widest.set(y, x);
  /** @type {Row[]} */
  const rows = [];
  for (const [y, right] of widest) {
    rows.push([-y, -right, right]);
    if (y > 0) rows.push([y, -right, right]);
  }
  return rows;
}

/** @param {number} a @param {number} b @returns {[number, number][]} points of the quarter, from its right end upwards */
function quarter(a, b) {
  const off = (/** @type {number} */ x, /** @type {number} */ y) => Math.abs(a * a * y * y + b * b * x * x - a * a * b * b);
  let [x, y] = [a, b % 2];
  const points = /** @type {[number, number][]} */ ([[x, y]]);
  while (x !== a % 2 || y !== b) {
    let next = /** @type {[number, number]} */ ([x, y + 2]);
    if (x > 1) {
      let least = off(...next);
      for (const other of /** @type {[number, number][]} */ ([[x - 2, y + 2], [x - 2, y]])) {
        if (least > off(...other)) {
          next = other;
          least = off(...other);
        }
      }
    }
    [x, y] = next;
    points.push(next);
  }
  return points;
}

/** @param {HalfPlane} plane @param {number} left @param {number} y @param {number} right @returns {(readonly [number, number])[]} */
function clip([a, b, c], left, y, right) {
  const tiny = 1e-9;
  if (Math.abs(a) < tiny) return b * y + c < -tiny ? [] : [[left, right]];
  const x = -(b * y + c) / a;
  const first = a * left + b * y + c < tiny ? roundUp(Math.max(left, x)) : left;
  const last = a * right + b * y + c < tiny ? roundUp(Math.min(right, x)) : right;
  return first <= last ? [[first, last]] : [];
}

/** @param {(readonly [number, number])[]} one @param {(readonly [number, number])[]} other @returns {(readonly [number, number])[]} */
function intersection(one, other) {
  return one.flatMap(([left, right]) =>
    other.flatMap(([from, to]) => {
      const [first, last] = [Math.max(left, from), Math.min(right, to)];
      return first <= last ? [/** @type {const} */ ([first, last])] : [];
    }),
  );
}

/** @param {(readonly [number, number])[]} one @param {(readonly [number, number])[]} other @returns {(readonly [number, number])[]} */
function union(one, other) {
  // Two parts at most, and drawing a pixel twice does no harm.
  return [...one, ...other];
}
