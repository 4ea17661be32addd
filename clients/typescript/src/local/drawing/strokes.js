/**
 * Strokes to a picture like those that the encoders were trained on, as the service draws them.
 *
 * @import { Plane } from "../pixels/plane.js"
 * @import { Point } from "./polygon.js"
 * @typedef {readonly (Point | {readonly x: number, readonly y: number})[]} Stroke   at least one point, in any unit, y downwards
 * @typedef {object} StrokeStyle
 * @property {number} canvas_px
 * @property {number} line_px
 * @property {number} margin   share of the side
 */

import { plane, rounded } from "../pixels/plane.js";
import { resized } from "../pixels/resample.js";
import { StrokesInvalid } from "../errors.js";
import { disc, pie } from "./ellipse.js";
import { wideLines } from "./polygon.js";

/** Drawn so many times as large, and averaged. */
const SUPERSAMPLE = 4;
/** Sine of the angle between a segment and the one before, reversed, between which Pillow's joint is a line across the canvas. */
const NEARLY_BACK = /** @type {const} */ ([1e-12, 1e-6]);
const MOST_POINTS = 50_000;
const MOST_SIDES = 4_000;
const RESOLUTION = 1e-12;
const SMALLEST = 1e-300;

/**
 * @param {readonly Stroke[]} strokes
 * @param {StrokeStyle} style
 * @returns {Plane} black on white, the drawing scaled to the canvas
 */
export function rasterised(strokes, { canvas_px: canvasPx, line_px: linePx, margin }) {
  const drawn = checked(strokes);
  const side = canvasPx * SUPERSAMPLE;
  const all = drawn.flat();
  const [xs, ys] = [all.map(([x]) => x), all.map(([, y]) => y)];
  const low = /** @type {Point} */ ([least(xs), least(ys)]);
  const high = /** @type {Point} */ ([most(xs), most(ys)]);
  const size = Math.max(high[0] - low[0], high[1] - low[1]);
  const farthest = Math.max(...[...low, ...high].map(Math.abs));
  const scale = size > Math.max(RESOLUTION * farthest, SMALLEST) ? (side * (1 - 2 * margin)) / size : 0;
  const origin = [low[0] / 2 + high[0] / 2, low[1] / 2 + high[1] / 2];
  rejectTooLong(drawn, scale / side);
  const canvas = plane(side, side, 255);
  const width = Math.max(1, rounded(linePx * SUPERSAMPLE));
  for (const stroke of drawn) {
    const placed = stroke.map(([x, y]) => /** @type {Point} */ ([(x - origin[0]) * scale + side / 2, (y - origin[1]) * scale + side / 2]));
    for (const part of betweenReversals(placed)) drawLine(canvas, part, width);
  }
  return resized(canvas, canvasPx, canvasPx, "box");
}

/** @param {Plane} canvas @param {readonly Point[]} points @param {number} width */
function drawLine(canvas, points, width) {
  if (points.length > 1) {
    wideLines(canvas, points, width);
    for (let n = 1; n + 1 < points.length; n++) drawJoint(canvas, points[n - 1], points[n], points[n + 1], width);
  }
  // Round caps; a stroke of one point is a dot.
  for (const [x, y] of [points[0], points[points.length - 1]]) disc(canvas, x, y, width / 2);
}

/** @param {Plane} canvas @param {Point} before @param {Point} point @param {Point} after @param {number} width as Pillow's `joint="curve"` */
function drawJoint(canvas, before, point, after, width) {
  if (width <= 4) return;
  const [first, second] = [angleOf(before, point), angleOf(point, after)];
  if (first === second) return;
  const isFlipped = (second > first && second - 180 > first) || (second < first && second + 180 > first);
  const [start, end] = isFlipped ? [second + 90, first + 90] : [first - 90, second - 90];
  const reach = width / 2 - 1;
  pie(canvas, [point[0] - reach, point[1] - reach, point[0] + reach, point[1] + reach], start - 90, end - 90);
  if (width <= 8) return;
  const turn = isFlipped ? 90 : -90;
  wideLines(canvas, [towards(point, first + turn, reach), point, towards(point, second + turn, reach)], 3);
}

/** @param {Point} from @param {Point} to @returns {number} degrees in [0, 360) */
function angleOf([x0, y0], [x1, y1]) {
  const degrees = Math.atan2(x1 - x0, y0 - y1) * (180 / Math.PI);
  // Python's modulo has the sign of the divisor.
  return ((degrees % 360) + 360) % 360;
}

/** @param {Point} point @param {number} angle @param {number} distance @returns {Point} */
function towards([x, y], angle, distance) {
  const radians = (angle - 90) * (Math.PI / 180);
  const outwards = (/** @type {number} */ d) => (d > 0 ? Math.floor(d) : Math.ceil(d));
  return [x + outwards(distance * Math.cos(radians)), y + outwards(distance * Math.sin(radians))];
}

/** @param {readonly Point[]} points @returns {Point[][]} the stroke cut where it turns back on itself nearly, not quite */
function betweenReversals(points) {
  const cuts = [0];
  for (let n = 1; n + 1 < points.length; n++) {
    const [ax, ay] = [points[n][0] - points[n - 1][0], points[n][1] - points[n - 1][1]];
    const [bx, by] = [points[n + 1][0] - points[n][0], points[n + 1][1] - points[n][1]];
    const lengths = Math.sqrt(ax * ax + ay * ay) * Math.sqrt(bx * bx + by * by);
    const turned = Math.abs(ax * by - ay * bx);
    if (ax * bx + ay * by < 0 && turned > NEARLY_BACK[0] * lengths && turned < NEARLY_BACK[1] * lengths) cuts.push(n);
  }
  if (points.length === 1) return [[...points]];
  cuts.push(points.length - 1);
  return cuts.slice(1).map((end, n) => points.slice(cuts[n], end + 1));
}

/** @param {readonly Stroke[]} strokes @returns {Point[][]} */
function checked(strokes) {
  if (!strokes.length) throw new StrokesInvalid("the drawing has no strokes");
  let count = 0;
  return strokes.map((stroke, number) => {
    if (!stroke.length) throw new StrokesInvalid(`stroke ${number} has no point`);
    count += stroke.length;
    if (count > MOST_POINTS) throw new StrokesInvalid(`the drawing has more than ${MOST_POINTS} points`);
    return stroke.map((point) => {
      const [x, y] = "x" in point ? [point.x, point.y] : point;
      if (!(Math.abs(x) <= 1e9 && Math.abs(y) <= 1e9)) throw new StrokesInvalid(`stroke ${number} has a coordinate that is no number, or beyond 1e9`);
      return /** @type {Point} */ ([x, y]);
    });
  });
}

/** @param {readonly Point[][]} strokes @param {number} sides of the drawing per unit */
function rejectTooLong(strokes, sides) {
  let length = 0;
  for (const stroke of strokes) {
    for (let n = 1; n < stroke.length; n++) length += Math.abs(stroke[n][0] - stroke[n - 1][0]) + Math.abs(stroke[n][1] - stroke[n - 1][1]);
  }
  if (length * sides > MOST_SIDES) throw new StrokesInvalid("the strokes are too long to be a drawing");
}

/** @param {readonly number[]} values @returns {number} */
function least(values) {
  return values.reduce((a, b) => Math.min(a, b));
}

/** @param {readonly number[]} values @returns {number} */
function most(values) {
  return values.reduce((a, b) => Math.max(a, b));
}
