/**
 * Resizing as Pillow does it, to the bit: two passes of a filter in fixed point (Pillow, libImaging/Resample.c; its licence is
 * MIT-CMU). The browser's own scaling differs from one browser to the next, and the encoder was trained on this one.
 *
 * @import { Plane, Window } from "./plane.js"
 */

import { plane } from "./plane.js";

/** @typedef {"box" | "bilinear" | "bicubic"} Filter */

/** Bits behind the point of a coefficient: 32 less those of a level, and two for negative weights and sums above one. */
const PRECISION = 22;
const HALF = 1 << (PRECISION - 1);
/** Of the bicubic filter. */
const A = -0.5;

/** @type {Record<Filter, {support: number, weight: (x: number) => number}>} */
const FILTERS = {
  box: { support: 0.5, weight: (x) => (x > -0.5 && x <= 0.5 ? 1 : 0) },
  bilinear: { support: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) },
  bicubic: {
    support: 2,
    weight(signed) {
      const x = Math.abs(signed);
      if (x < 1) return ((A + 2) * x - (A + 3)) * x * x + 1;
      return x < 2 ? (((x - 5) * x + 8) * x - 4) * A : 0;
    },
  },
};

/**
 * @param {Plane} source
 * @param {number} width
 * @param {number} height
 * @param {Filter} filter
 * @param {Window} [box] the part that is resized, in pixels; all of it
 * @returns {Plane}
 */
export function resized(source, width, height, filter, box = [0, 0, source.width, source.height]) {
  // Pillow keeps the box in single precision.
  const [left, top, right, bottom] = /** @type {[number, number, number, number]} */ (box.map(Math.fround));
  const isSameAcross = width === source.width && left === 0 && right === width;
  const isSameDown = height === source.height && top === 0 && bottom === height;
  const between = isSameAcross ? source : across(source, coefficients(source.width, left, right, width, filter), width);
  return isSameDown ? { ...between, data: between.data.slice() } : down(between, coefficients(source.height, top, bottom, height, filter), height);
}

/** The nearest pixel of each. @param {Plane} source @param {number} width @param {number} height @returns {Plane} */
export function nearest(source, width, height) {
  const columns = positions(source.width, width);
  const out = plane(width, height);
  positions(source.height, height).forEach((row, y) => {
    columns.forEach((column, x) => {
      out.data[y * width + x] = source.data[row * source.width + column];
    });
  });
  return out;
}

/**
 * A part of a picture, which may lie outside, enlarged or reduced to a square; what is outside is 0.
 *
 * @param {Plane} source
 * @param {number} side
 * @param {Window} window
 * @returns {Plane} by bicubic interpolation, which averages nothing (libImaging/Geometry.c)
 */
export function extent(source, side, [left, top, right, bottom]) {
  const { width, height, data } = source;
  const [scaleX, scaleY] = [(right - left) / side, (bottom - top) / side];
  const out = plane(side, side);
  const column = (/** @type {number} */ x) => Math.min(Math.max(x, 0), width - 1);
  for (let y = 0; y < side; y++) {
    const inY = scaleY * (y + 0.5) + top;
    if (inY < 0 || inY >= height) continue;
    const firstY = Math.floor(inY - 0.5) - 1;
    const restY = inY - 0.5 - (firstY + 1);
    for (let x = 0; x < side; x++) {
      const inX = scaleX * (x + 0.5) + left;
      if (inX < 0 || inX >= width) continue;
      const firstX = Math.floor(inX - 0.5) - 1;
      const restX = inX - 0.5 - (firstX + 1);
      const [a, b, c, d] = [column(firstX), column(firstX + 1), column(firstX + 2), column(firstX + 3)];
      let last = 0;
      const rows = [0, 1, 2, 3].map((row) => {
        const at = row === 0 ? Math.min(Math.max(firstY, 0), height - 1) : firstY + row;
        // Below the last row its values go on.
        if (at >= 0 && at < height) {
          const start = at * width;
          last = cubic(data[start + a], data[start + b], data[start + c], data[start + d], restX);
        }
        return last;
      });
      const value = cubic(rows[0], rows[1], rows[2], rows[3], restY);
      out.data[y * side + x] = value <= 0 ? 0 : value >= 255 ? 255 : Math.trunc(value);
    }
  }
  return out;
}

/** @param {number} a @param {number} b @param {number} c @param {number} d @param {number} at @returns {number} */
function cubic(a, b, c, d, at) {
  const p2 = -a + c;
  const p3 = 2 * (a - b) + c - d;
  const p4 = -a + b - c + d;
  return b + at * (p2 + at * (p3 + at * p4));
}

/** @param {number} from @param {number} to @returns {number[]} which of `from` pixels each of `to` shows */
function positions(from, to) {
  const step = from / to;
  const out = [];
  // Added up as Pillow does, whose sums round.
  for (let at = step * 0.5, n = 0; n < to; n++, at += step) out.push(Math.trunc(at));
  return out;
}

/**
 * @typedef {object} Coefficients   for each pixel of the result the first one of the source, how many, and their weights
 * @property {Int32Array} first
 * @property {Int32Array} count
 * @property {Int32Array} weights   `size` for each
 * @property {number} size
 */

/** @param {number} inSize @param {number} start @param {number} end @param {number} outSize @param {Filter} name @returns {Coefficients} */
function coefficients(inSize, start, end, outSize, name) {
  const filter = FILTERS[name];
  const scale = Math.fround(end - start) / outSize;
  const filterScale = Math.max(scale, 1);
  const support = filter.support * filterScale;
  const size = Math.ceil(support) * 2 + 1;
  const [first, count] = [new Int32Array(outSize), new Int32Array(outSize)];
  const weights = new Int32Array(outSize * size);
  const inverse = 1 / filterScale;
  for (let at = 0; at < outSize; at++) {
    const centre = start + (at + 0.5) * scale;
    const low = Math.max(0, Math.trunc(centre - support + 0.5));
    const length = Math.min(inSize, Math.trunc(centre + support + 0.5)) - low;
    const raw = [];
    let sum = 0;
    for (let n = 0; n < length; n++) {
      const weight = filter.weight((n + low - centre + 0.5) * inverse);
      raw.push(weight);
      sum += weight;
    }
    raw.forEach((weight, n) => {
      const exact = (sum ? weight / sum : weight) * (1 << PRECISION);
      weights[at * size + n] = Math.trunc(exact < 0 ? exact - 0.5 : exact + 0.5);
    });
    first[at] = low;
    count[at] = length;
  }
  return { first, count, weights, size };
}

/** @param {Plane} source @param {Coefficients} c @param {number} width @returns {Plane} */
function across({ width: inWidth, height, data }, { first, count, weights, size }, width) {
  const out = plane(width, height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let sum = HALF;
      const start = y * inWidth + first[x];
      for (let n = 0; n < count[x]; n++) sum += data[start + n] * weights[x * size + n];
      out.data[y * width + x] = clipped(sum);
    }
  }
  return out;
}

/** @param {Plane} source @param {Coefficients} c @param {number} height @returns {Plane} */
function down({ width, data }, { first, count, weights, size }, height) {
  const out = plane(width, height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let sum = HALF;
      for (let n = 0; n < count[y]; n++) sum += data[(first[y] + n) * width + x] * weights[y * size + n];
      out.data[y * width + x] = clipped(sum);
    }
  }
  return out;
}

/** @param {number} sum in fixed point @returns {number} a level */
function clipped(sum) {
  const level = sum >> PRECISION;
  return level < 0 ? 0 : level > 255 ? 255 : level;
}
