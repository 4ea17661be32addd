/**
 * Lines as wide polygons, filled as Pillow fills them, to the bit (Pillow, libImaging/Draw.c; its licence is MIT-CMU). A canvas
 * smooths its lines, each browser in its own way; here they are drawn large and averaged.
 *
 * @import { Plane } from "../pixels/plane.js"
 * @typedef {readonly [x: number, y: number]} Point
 * @typedef {object} Edge
 * @property {number} x0
 * @property {number} y0
 * @property {number} xmin
 * @property {number} xmax
 * @property {number} ymin
 * @property {number} ymax
 * @property {number} dx   per row, in single precision
 */

const { fround } = Math;

/** @param {number} value @returns {number} halves away from zero */
export function roundUp(value) {
  return value >= 0 ? Math.floor(value + 0.5) : -Math.floor(Math.abs(value) + 0.5);
}

/** @param {number} value @returns {number} halves towards zero */
function roundDown(value) {
  return value >= 0 ? Math.ceil(value - 0.5) : -Math.ceil(Math.abs(value) - 0.5);
}

/** Black from x0 to x1, both included, as far as they are on the canvas. @param {Plane} canvas @param {number} x0 @param {number} y @param {number} x1 */
export function blackRow(canvas, x0, y, x1) {
  if (y < 0 || y >= canvas.height || x1 < 0 || x0 >= canvas.width) return;
  canvas.data.fill(0, y * canvas.width + Math.max(0, x0), y * canvas.width + Math.min(canvas.width - 1, x1) + 1);
}

/** @param {Plane} canvas @param {readonly Point[]} points @param {number} width in whole pixels, more than 1 */
export function wideLines(canvas, points, width) {
  for (let n = 0; n + 1 < points.length; n++) {
    const [x0, y0, x1, y1] = [...points[n], ...points[n + 1]].map(Math.trunc);
    wideLine(canvas, x0, y0, x1, y1, width);
  }
}

/** @param {Plane} canvas @param {number} x0 @param {number} y0 @param {number} x1 @param {number} y1 @param {number} width */
function wideLine(canvas, x0, y0, x1, y1, width) {
  const [dx, dy] = [x1 - x0, y1 - y0];
  if (dx === 0 && dy === 0) {
    blackRow(canvas, x0, y0, x0);
    return;
  }
  const length = Math.hypot(dx, dy);
  const half = (width - 1) / 2;
  const [most, least] = [roundUp(half) / length, roundDown(half) / length];
  const [dxmin, dxmax] = [roundDown(least * dy), roundDown(most * dy)];
  const [dymin, dymax] = [roundDown(least * dx), roundDown(most * dx)];
  /** @type {Point[]} */
  const corners = [
    [x0 - dxmin, y0 + dymax],
    [x1 - dxmin, y1 + dymax],
    [x1 + dxmax, y1 - dymin],
    [x0 + dxmax, y0 - dymin],
  ];
  filled(canvas, corners.map((corner, n) => edgeBetween(corner, corners[(n + 1) % 4])));
}

/** @param {Point} from @param {Point} to @returns {Edge} */
function edgeBetween([x0, y0], [x1, y1]) {
  return {
    x0,
    y0,
    xmin: Math.min(x0, x1),
    xmax: Math.max(x0, x1),
    ymin: Math.min(y0, y1),
    ymax: Math.max(y0, y1),
    dx: y0 === y1 ? 0 : fround(fround(x1 - x0) / fround(y1 - y0)),
  };
}

/** @param {Edge} edge @param {number} y @returns {number} in single precision, as all crossings */
function crossing({ x0, y0, dx }, y) {
  return fround(fround(fround(y - y0) * dx) + fround(x0));
}

/** @param {Plane} canvas @param {readonly Edge[]} edges */
function filled(canvas, edges) {
  let [ymin, ymax] = [canvas.height - 1, 0];
  for (const one of edges) {
    ymin = Math.min(ymin, one.ymin);
    ymax = Math.max(ymax, one.ymax);
    if (one.ymin === one.ymax) blackRow(canvas, one.xmin, one.ymin, one.xmax);
  }
  const slanted = edges.filter((one) => one.ymin !== one.ymax);
  for (let y = Math.max(0, ymin); y <= Math.min(ymax, canvas.height); y++) {
    const xs = crossings(slanted, y, Math.min(ymax, canvas.height)).sort((a, b) => a - b);
    for (let n = 1; n < xs.length; n += 2) {
      blackRow(canvas, singleUp(xs[n - 1]), y, singleDown(xs[n]));
    }
  }
}

/** @param {readonly Edge[]} edges @param {number} y @param {number} ymax @returns {number[]} */
function crossings(edges, y, ymax) {
  /** @type {number[]} */
  const xs = [];
  edges.forEach((current, number) => {
    if (y < current.ymin || y > current.ymax) return;
    const x = crossing(current, y);
    xs.push(x);
    if (y === current.ymax && y < ymax) xs.push(x);
    else if ((y === current.ymin || y === current.ymax) && current.dx !== 0) {
      xs[xs.length - 1] = joined(x, current, edges.slice(0, number), y);
    }
  });
  return xs;
}

/** Where two edges make a corner, it reaches to what the next row has. @param {number} x @param {Edge} current @param {readonly Edge[]} others @param {number} y */
function joined(x, current, others, y) {
  for (const other of others) {
    const next = y + (y === current.ymax ? -1 : 1);
    if (!meets(other, x, y) || next < other.ymin || next > other.ymax) continue;
    const [least, most] = [crossing(current, next), crossing(other, next)].sort((a, b) => a - b);
    if (x > most + 1) return roundUp(most) + 1;
    return x < least - 1 ? roundUp(least) - 1 : x;
  }
  return x;
}

/** @param {Edge} edge @param {number} x @param {number} y @returns {boolean} whether it begins or ends there */
function meets(edge, x, y) {
  return (y === edge.ymin || y === edge.ymax) && edge.dx !== 0 && roundUp(x) === roundUp(crossing(edge, y));
}

/** @param {number} x @returns {number} */
function singleUp(x) {
  return x >= 0 ? Math.floor(fround(x + 0.5)) : -Math.floor(Math.abs(x) + 0.5);
}

/** @param {number} x @returns {number} */
function singleDown(x) {
  return x >= 0 ? Math.ceil(fround(x - 0.5)) : -Math.ceil(Math.abs(x) - 0.5);
}
