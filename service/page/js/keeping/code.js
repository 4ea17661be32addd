/**
 * A drawing as a short text for a link: its lines in half units, each point as the step from the one before, in base64url. A
 * drawing that is too long loses points that can hardly be seen, then more; pictures do not fit at all.
 *
 *   version | for each line: flags, width in quarters, number of points, points   (all but the first byte: varints)
 */

import { hasPicture } from "../drawing/drawing.js";
import { simplified } from "./simplify.js";

/** @typedef {import("../drawing/drawing.js").Drawing} Drawing */
/** @typedef {import("../drawing/drawing.js").Line} Line */
/** @typedef {import("../drawing/drawing.js").Point} Point */

const VERSION = 1;
const ERASER = 1;
const PRESSURE = 2;
const STEPS_PER_UNIT = 2;
/** Mail and chat programs cut longer addresses. */
export const MAX_CODE = 4000;
/** Read from links of others: more than anybody draws, less than hurts. */
const MAX_LINES = 2000;
const MAX_POINTS = 20_000;
const MAX_PLACE = 4096;
/** In board units; from where nothing is seen of it to where a drawing is still the same one. */
const TOLERANCES = [0.25, 0.5, 1, 1.75, 3];

/** @param {Drawing} drawing @returns {string | null} null: it has a picture, or does not fit into a link */
export function encode(drawing) {
  if (hasPicture(drawing) || drawing.length > MAX_LINES) return null;
  for (const tolerance of TOLERANCES) {
    const code = toBase64(bytesOf(/** @type {readonly Line[]} */ (drawing), tolerance));
    if (code.length <= MAX_CODE) return code;
  }
  return null;
}

/** @param {string} code @returns {Drawing | null} null: that is no drawing */
export function decodeDrawing(code) {
  try {
    return code.length > MAX_CODE ? null : linesOf(fromBase64(code));
  } catch {
    return null;
  }
}

/** @param {readonly Line[]} drawing @param {number} tolerance @returns {number[]} */
function bytesOf(drawing, tolerance) {
  const bytes = [VERSION];
  const write = (/** @type {number} */ value) => {
    for (; value > 127; value >>>= 7) bytes.push((value & 127) | 128);
    bytes.push(value);
  };
  const writeSigned = (/** @type {number} */ value) => write(value < 0 ? -2 * value - 1 : 2 * value);
  for (const { kind, width, points } of drawing) {
    const kept = simplified(points, tolerance);
    const pressed = kept[0].length === 3;
    write((kind === "eraser" ? ERASER : 0) | (pressed ? PRESSURE : 0));
    write(Math.max(1, Math.round(4 * width)));
    write(kept.length);
    let [x, y] = [0, 0];
    for (const point of kept) {
      const [nextX, nextY] = [Math.round(point[0] * STEPS_PER_UNIT), Math.round(point[1] * STEPS_PER_UNIT)];
      writeSigned(nextX - x);
      writeSigned(nextY - y);
      if (pressed) write(Math.round(100 * (point[2] ?? 0)));
      [x, y] = [nextX, nextY];
    }
  }
  return bytes;
}

/** @param {Uint8Array} bytes @returns {Line[]} @throws {RangeError} */
function linesOf(bytes) {
  let at = 0;
  const read = () => {
    for (let value = 0, shift = 0; shift <= 21; shift += 7) {
      check(at < bytes.length);
      value |= (bytes[at] & 127) << shift;
      if (bytes[at++] < 128) return value;
    }
    throw new RangeError();
  };
  const readSigned = () => ((value) => (value & 1 ? -(value + 1) / 2 : value / 2))(read());
  check(read() === VERSION);
  /** @type {Line[]} */
  const lines = [];
  for (let total = 0; at < bytes.length; ) {
    const flags = read();
    const width = read() / 4;
    const count = read();
    total += count;
    check(flags <= 3 && width > 0 && width <= 256 && count > 0 && total <= MAX_POINTS && lines.length < MAX_LINES);
    let [x, y] = [0, 0];
    const points = Array.from({ length: count }, () => {
      x += readSigned();
      y += readSigned();
      check(Math.abs(x) <= MAX_PLACE && Math.abs(y) <= MAX_PLACE);
      /** @type {Point} */
      const point = [x / STEPS_PER_UNIT, y / STEPS_PER_UNIT];
      if (flags & PRESSURE) point.push(Math.min(1, read() / 100));
      return point;
    });
    lines.push({ kind: flags & ERASER ? "eraser" : "stroke", width, points });
  }
  check(lines.length > 0);
  return lines;
}

/** @param {boolean} holds @throws {RangeError} */
function check(holds) {
  if (!holds) throw new RangeError("That is no drawing.");
}

/** @param {number[]} bytes @returns {string} */
function toBase64(bytes) {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

/** @param {string} code @returns {Uint8Array} @throws {DOMException} it is no base64 */
function fromBase64(code) {
  return Uint8Array.from(atob(code.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));
}
