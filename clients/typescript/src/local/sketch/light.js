/**
 * The light on a page as a parabola over it, fitted to the lightest pixel of each block of 16 (`_light` of the service's ink.py).
 *
 * @import { Plane, Window } from "../pixels/plane.js"
 */

import { borderOf } from "./border.js";

const BLOCK_PX = 16;
const TERMS = 6;
const UNEVEN = 20;
/** Levels below the fit from which a block is drawn on. */
const DRAWN = -12;
const ROUNDS = 3;
const MIN_BLOCKS = 12;

/** @param {Plane} page lighter paper @returns {Float64Array | null} coefficients of 1, x, y, x², xy, y²; null where they do not describe the border */
export function lightOf(page) {
  const [rows, columns] = [Math.floor(page.height / BLOCK_PX), Math.floor(page.width / BLOCK_PX)];
  if (Math.min(rows, columns) < 4) return null;
  const lightest = blocksOf(page, rows, columns);
  const terms = termsOf(columns, rows);
  let used = terms.map(() => true);
  /** @type {Float64Array} */
  let light = new Float64Array(TERMS);
  for (let round = 0; round < ROUNDS; round++) {
    light = leastSquares(kept(terms, used), kept(lightest, used));
    used = terms.map((term, n) => lightest[n] - product(term, light) > DRAWN);
    if (used.filter(Boolean).length < MIN_BLOCKS) return null;
  }
  const ground = lightAt(light, page.width, page.height, [0, 0, 1, 1]);
  const off = { ...page, data: page.data.map((level, n) => Math.min(255, Math.abs(ground[n] - level))) };
  const ring = borderOf(off);
  return ring.filter((level) => level < UNEVEN).length / ring.length > 0.7 ? light : null;
}

/** @param {Float64Array} light @param {number} width @param {number} height @param {Window} window @returns {Float64Array} levels */
export function lightAt(light, width, height, window) {
  const [left, top, right, bottom] = window;
  const out = new Float64Array(width * height);
  for (let row = 0, at = 0; row < height; row++) {
    const y = 2 * (top + ((bottom - top) * (row + 0.5)) / height) - 1;
    for (let column = 0; column < width; column++, at++) {
      const x = 2 * (left + ((right - left) * (column + 0.5)) / width) - 1;
      out[at] = light[0] + light[1] * x + light[2] * y + light[3] * x * x + light[4] * x * y + light[5] * y * y;
    }
  }
  return out;
}

/** @param {Plane} page @param {number} rows @param {number} columns @returns {number[]} */
function blocksOf({ width, data }, rows, columns) {
  const lightest = new Array(rows * columns).fill(0);
  for (let y = 0; y < rows * BLOCK_PX; y++) {
    for (let x = 0; x < columns * BLOCK_PX; x++) {
      const block = Math.floor(y / BLOCK_PX) * columns + Math.floor(x / BLOCK_PX);
      lightest[block] = Math.max(lightest[block], data[y * width + x]);
    }
  }
  return lightest;
}

/** @param {number} width @param {number} height @returns {number[][]} the six terms at the centre of each block */
function termsOf(width, height) {
  const terms = [];
  for (let row = 0; row < height; row++) {
    const y = (2 * (row + 0.5)) / height - 1;
    for (let column = 0; column < width; column++) {
      const x = (2 * (column + 0.5)) / width - 1;
      terms.push([1, x, y, x * x, x * y, y * y]);
    }
  }
  return terms;
}

/** @template T @param {readonly T[]} values @param {readonly boolean[]} used @returns {T[]} */
function kept(values, used) {
  return values.filter((value, n) => used[n] && value !== undefined);
}

/** @param {readonly number[]} term @param {Float64Array} light @returns {number} */
function product(term, light) {
  return term.reduce((sum, one, n) => sum + one * light[n], 0);
}

/** @param {readonly number[][]} terms @param {readonly number[]} values @returns {Float64Array} by the normal equations, eliminated with pivots */
function leastSquares(terms, values) {
  const numbers = [...Array(TERMS).keys()];
  const rows = numbers.map((i) => [
    ...numbers.map((j) => terms.reduce((sum, term) => sum + term[i] * term[j], 0)),
    terms.reduce((sum, term, n) => sum + term[i] * values[n], 0),
  ]);
  for (let column = 0; column < TERMS; column++) {
    const pivot = rows.reduce((best, row, n) => (n >= column && Math.abs(row[column]) > Math.abs(rows[best][column]) ? n : best), column);
    [rows[column], rows[pivot]] = [rows[pivot], rows[column]];
    rows.forEach((row, n) => {
      if (n === column || rows[column][column] === 0) return;
      const factor = row[column] / rows[column][column];
      for (let k = column; k <= TERMS; k++) row[k] -= factor * rows[column][k];
    });
  }
  return Float64Array.from(rows, (row, n) => (row[n] === 0 ? 0 : row[TERMS] / row[n]));
}
