/**
 * Lines of one width, whatever they were drawn with (the service's line_width.py).
 *
 * @import { Plane } from "../pixels/plane.js"
 */

import { mapped, plane, rounded, strongest } from "../pixels/plane.js";
import { nearest, resized } from "../pixels/resample.js";
import { spread } from "../pixels/spread.js";
import { INK_LEVEL } from "./ink.js";
import { thinned } from "./thinning.js";

const NARROW = 1.3;
const WIDE = 4.6;
const BROAD = 18;
const COARSE_PX = 64;
const FILLED_RADIUS = 3;
const MARKER = 9;
const MARKER_FILLED_RADIUS = 6;
const THINNED_PX = 128;
const STROKE_LEVEL = 107;
const GAIN = 1.6;
const CANVAS_PX = 256;
const OUTLINE_PX = 2;
const SCRAP = 0.02;

/** @param {Plane} ink @returns {number} mean width of its lines in pixels: area over half of the outline's length, the total variation */
export function lineWidth({ width, height, data }) {
  let [outline, area] = [0, 0];
  for (let x = 0; x < width; x++) area += data[x];
  for (let y = 1, at = width; y < height; y++) {
    area += data[at++];
    for (let x = 1; x < width; x++, at++) {
      const here = data[at];
      area += here;
      const [across, down] = [here - data[at - 1], here - data[at - width]];
      if (across || down) outline += Math.fround(Math.sqrt(across * across + down * down));
    }
  }
  return (2 * area) / Math.max(outline, 1);
}

/**
 * @param {Plane} ink of a square canvas
 * @param {boolean} [inDetail] lines are redrawn only from 18 of 256 px on
 * @returns {Plane} with lines about as wide as the product draws strokes
 */
export function ofOneWidth(ink, inDetail = false) {
  const width = (lineWidth(ink) * CANVAS_PX) / ink.height;
  if (width >= NARROW && width <= WIDE) return ink;
  if (width < NARROW) return widened(ink);
  const widest = inDetail ? BROAD : WIDE;
  const whole = ink.height === CANVAS_PX ? ink : resized(ink, CANVAS_PX, CANVAS_PX, "bicubic");
  const areas = areasOf(whole);
  if (!areas) return width > widest ? redrawn(whole, width) : ink;
  const outlines = outlined(within(whole, areas, 1));
  if (!hasLines(whole, areas)) return outlines;
  const lines = within(whole, areas, 0);
  const across = lineWidth(lines);
  const drawn = across > widest ? redrawn(lines, across) : lines;
  return mapped(outlines, (level, at) => Math.max(level, drawn.data[at]));
}

/** @param {Plane} ink @returns {Plane | null} as `filledAreas`: larger ones beside a marker's lines, which merge where they meet */
function areasOf(ink) {
  const areas = filledAreas(ink, FILLED_RADIUS);
  const isMarked = areas && hasLines(ink, areas) && lineWidth(within(ink, areas, 0)) > MARKER;
  return isMarked ? filledAreas(ink, MARKER_FILLED_RADIUS) : areas;
}

/** @param {Plane} ink @param {Plane} areas @param {0 | 1} inside @returns {Plane} the ink where `areas` is that */
function within(ink, areas, inside) {
  return mapped(ink, (level, at) => (areas.data[at] === inside ? level : 0));
}

/** @param {Plane} ink @param {Plane} areas @returns {boolean} */
function hasLines({ data }, areas) {
  let [drawn, filled] = [0, 0];
  data.forEach((level, at) => {
    if (areas.data[at]) filled++;
    else if (level > INK_LEVEL) drawn++;
  });
  return drawn >= SCRAP * filled;
}

/** @param {Plane} ink @returns {Plane} each line a pixel wider */
function widened({ width, height, data }) {
  const out = plane(width, height);
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at++) {
      let level = data[at];
      if (y) level = Math.max(level, data[at - width]);
      if (x) level = Math.max(level, data[at - 1]);
      if (x && y) level = Math.max(level, data[at - width - 1]);
      out.data[at] = level;
    }
  }
  return out;
}

/** @param {Plane} ink @param {number} radius in 64ths of the side @returns {Plane | null} 1 where areas are that no pen is as wide as */
function filledAreas(ink, radius) {
  const small = mapped(resized(ink, COARSE_PX, COARSE_PX, "box"), (level) => (level > 128 ? 1 : 0));
  const core = spread(small, radius, "least", 0);
  if (!strongest(core)) return null;
  return nearest(spread(core, radius + 1, "most", 0), ink.width, ink.height);
}

/** @param {Plane} ink filled areas @returns {Plane} their outlines, as wide as a stroke, on the inside */
function outlined(ink) {
  const filled = mapped(ink, (level) => (level > INK_LEVEL ? 1 : 0));
  const inside = spread(filled, OUTLINE_PX, "least", 0);
  return mapped(filled, (one, at) => (one && !inside.data[at] ? 255 : 0));
}

/** @param {Plane} ink @param {number} width of its lines @returns {Plane} each line drawn as the product draws strokes */
function redrawn(ink, width) {
  const small = mapped(resized(ink, THINNED_PX, THINNED_PX, "box"), (level) => (level > STROKE_LEVEL ? 1 : 0));
  const line = thinned(small, 2 + rounded((width * THINNED_PX) / (2 * CANVAS_PX)));
  if (!strongest(line)) return ink; // grey all over: no line to follow
  const soft = resized(mapped(line, (one) => one * 255), CANVAS_PX, CANVAS_PX, "bilinear");
  // A line of one pixel was spread over several: the gain makes its middle black again, and that of a lone dot.
  const gain = Math.fround(Math.max(GAIN, 255 / strongest(soft)));
  return mapped(soft, (level) => Math.trunc(Math.min(255, Math.fround(level * gain))));
}
