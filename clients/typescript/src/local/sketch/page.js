/**
 * What is on a page beside the drawing, ruled lines and an app's border, and where the drawing is (the service's page.py).
 *
 * @import { Plane } from "../pixels/plane.js"
 * @typedef {object} Box   in pixels; right and bottom are the first outside
 * @property {number} left
 * @property {number} top
 * @property {number} right
 * @property {number} bottom
 */

import { cropped, paste, plane, rounded, transposed } from "../pixels/plane.js";
import { INK_LEVEL } from "./ink.js";

const FAINT = 24;
const ACROSS = 0.8;
const MIN_RULES = 4;
const MAX_RULE_SHARE = 0.03;
const BORDER_SHARE = 0.05;
const SPECK_SHARE = 0.006;
const GAP_SHARE = 0.04;

/** @param {Box} box @returns {number} the longer side */
export function extentOf({ left, top, right, bottom }) {
  return Math.max(right - left, bottom - top);
}

/** @param {Plane} ink @returns {Box} where the drawing lies, dust left out */
export function drawnBox(ink) {
  const [top, bottom] = span(countRows(ink, INK_LEVEL));
  const [left, right] = span(countColumns(cropped(ink, [0, top, ink.width, bottom]), INK_LEVEL));
  return { left, top, right, bottom };
}

/** @param {Plane} ink @returns {Plane} without a rectangle along its edges that touches nothing within; the same one where there is none */
export function withoutBorder(ink) {
  const rows = edgesOf(countRows(ink, INK_LEVEL), ink.width);
  const columns = rows && edgesOf(countColumns(ink, INK_LEVEL), ink.height);
  if (!rows || !columns) return ink;
  // Soft edges of the border, and a row that has to be free.
  const [top, bottom, left, right] = [rows[0] + 1, rows[1] - 1, columns[0] + 1, columns[1] - 1];
  if (top >= bottom || left >= right) return ink;
  const inside = cropped(ink, [left, top, right, bottom]);
  const [down, across] = [countRows(inside, INK_LEVEL), countColumns(inside, INK_LEVEL)];
  if (!down.some(Boolean) || down[0] || down[down.length - 1] || across[0] || across[across.length - 1]) return ink;
  const out = plane(ink.width, ink.height);
  paste(out, inside, left, top);
  return out;
}

/** @param {Plane} ink @returns {Plane} without the lines of ruled or squared paper; the same one where it has none */
export function withoutRules(ink) {
  const once = withoutRows(ink);
  const turned = transposed(once);
  const both = withoutRows(turned);
  return once === ink && both === turned ? ink : transposed(both);
}

/** @param {readonly number[]} profile @param {number} length @returns {[number, number] | null} the first free row, and the first of the border behind */
function edgesOf(profile, length) {
  const limit = Math.max(2, rounded(BORDER_SHARE * profile.length));
  const across = profile.map((count) => count > ACROSS * length);
  const first = across.slice(0, limit).lastIndexOf(true);
  const last = across.slice(-limit).indexOf(true);
  return first < 0 || last < 0 ? null : [first + 1, Math.max(0, profile.length - limit) + last];
}

/** @param {Plane} ink @returns {Plane} */
function withoutRows(ink) {
  const across = countRows(ink, FAINT).map((count) => count > ACROSS * ink.width);
  if (across.filter(Boolean).length < MIN_RULES) return ink;
  const found = runs(across);
  if (found.length < MIN_RULES || Math.max(...found.map(([start, end]) => end - start)) > Math.max(2, MAX_RULE_SHARE * ink.height)) return ink;
  const { width, height } = ink;
  const out = { width, height, data: ink.data.slice() };
  const blank = new Uint8Array(width);
  for (const [start, end] of found) {
    const [first, last] = [Math.max(0, start - 1), Math.min(height, end + 1)]; // with its soft edges
    const row = (/** @type {number} */ y) => out.data.slice(y * width, (y + 1) * width);
    const above = first ? row(first - 1) : blank;
    const below = last < height ? ink.data.subarray(last * width, (last + 1) * width) : blank;
    for (let y = first; y < last; y++) {
      // What crosses the line goes on above and below it.
      for (let x = 0; x < width; x++) out.data[y * width + x] = Math.min(out.data[y * width + x], above[x], below[x]);
    }
  }
  return out;
}

/** @param {Plane} of @param {number} level @returns {number[]} how many pixels of each row are above it */
function countRows({ width, height, data }, level) {
  const counts = new Array(height).fill(0);
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at++) if (data[at] > level) counts[y]++;
  }
  return counts;
}

/** @param {Plane} of @param {number} level @returns {number[]} */
function countColumns({ width, height, data }, level) {
  const counts = new Array(width).fill(0);
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at++) if (data[at] > level) counts[x]++;
  }
  return counts;
}

/** @param {readonly number[]} profile ink of each row @returns {[number, number]} first row of the drawing, and the one after its last */
function span(profile) {
  const found = runs(profile.map((count) => count > 0));
  const sum = (/** @type {readonly [number, number]} */ [start, end]) => profile.slice(start, end).reduce((a, b) => a + b, 0);
  const least = SPECK_SHARE * sum([0, profile.length]);
  const apart = Math.max(2, GAP_SHARE * profile.length);
  let [first, last] = [0, found.length - 1];
  while (first < last && sum(found[first]) < least && found[first + 1][0] - found[first][1] > apart) first++;
  while (first < last && sum(found[last]) < least && found[last][0] - found[last - 1][1] > apart) last--;
  return [found[first][0], found[last][1]];
}

/** @param {readonly boolean[]} on @returns {[number, number][]} where the runs of true start and end */
function runs(on) {
  const found = /** @type {[number, number][]} */ ([]);
  on.forEach((one, at) => {
    if (one && !on[at - 1]) found.push([at, at]);
    if (one) found[found.length - 1][1] = at + 1;
  });
  return found;
}
