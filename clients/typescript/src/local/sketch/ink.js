/**
 * Ink apart from paper: polarity, tone, uneven light, colour, and lines that are too faint. As the service's
 * `models/bundle/sketch/ink.py`, whose names and numbers these are; a plane of ink has 0 for paper, 255 for the strongest ink.
 *
 * @import { Picture, Plane, Window } from "../pixels/plane.js"
 */

import { SketchEmpty, SketchSolid } from "../errors.js";
import { cropped, mapped, plane, strongest } from "../pixels/plane.js";
import { nearest } from "../pixels/resample.js";
import { spread } from "../pixels/spread.js";
import { borderOf } from "./border.js";
import { lightAt, lightOf } from "./light.js";

/**
 * @typedef {object} Paper
 * @property {number} level   in [0, 255], after inversion where it is dark
 * @property {boolean} dark
 * @property {number} noise   in grey levels
 * @property {Float64Array | null} light   null where it is even
 */

/** @type {Window} in shares of the sides */
export const WHOLE_PAGE = [0, 0, 1, 1];
/** Of 255: counts as ink when the drawing's extent is measured. */
export const INK_LEVEL = 64;

const MIN_CONTRAST = 24;
const MIN_CLEAN_CONTRAST = 8;
const MIN_INK_PIXELS = 12;
const MAX_INK_SHARE = 0.75;
const UNEVEN = 20;
const MAX_NOISE = 24;
const COLOURED = 40;
const COLOUR_SAMPLE_PX = 96;
const SOFT_PX = 2;
const LINE_RADIUS_PX = 4;

/** @param {Paper} paper @returns {number} grey levels of ink below which nothing is drawn */
export function minContrast({ noise, light }) {
  return noise === 0 && light === null ? MIN_CLEAN_CONTRAST : MIN_CONTRAST;
}

/** @param {Picture} picture @returns {Plane} ITU-R 601-2, as Pillow converts */
export function grey(picture) {
  if (picture.length === 1) return picture[0];
  const [{ width, height, data: red }, { data: green }, { data: blue }] = picture;
  const out = plane(width, height);
  for (let n = 0; n < red.length; n++) out.data[n] = (red[n] * 19595 + green[n] * 38470 + blue[n] * 7471 + 0x8000) >> 16;
  return out;
}

/** @param {Picture} picture @returns {boolean} whether its channels differ by more than photographs of grey things do */
export function isColoured(picture) {
  if (picture.length === 1) return false;
  const [red, green, blue] = picture.map((one) =>
    nearest(one, Math.min(COLOUR_SAMPLE_PX, one.width), Math.min(COLOUR_SAMPLE_PX, one.height)),
  );
  return red.data.some((level, n) => {
    const channels = [level, green.data[n], blue.data[n]];
    return Math.max(...channels) - Math.min(...channels) > COLOURED;
  });
}

/** @param {Picture} picture of the page @returns {{paper: Paper, ink: Plane}} throws SketchEmpty, SketchSolid */
export function paperAndInk(picture) {
  const page = grey(picture);
  const border = borderOf(page);
  const [darker, middle, lighter] = percentiles(border, [0.15, 0.5, 0.85]);
  const [lightest, darkest] = [strongest(page), page.data.reduce((a, b) => Math.min(a, b), 255)];
  if (lightest - darkest < MIN_CLEAN_CONTRAST) {
    if (middle < 128) throw new SketchSolid("the sketch is one dark area: no line can be told from its background");
    throw new SketchEmpty("the sketch is empty: nothing is drawn on it");
  }
  const dark = middle < 128;
  const light = lighter - darker > UNEVEN ? lightOf(dark ? inverted(page) : page) : null;
  let paper = { level: dark ? 255 - middle : middle, dark, noise: 0, light };
  let ink = inkOn(paper, page, picture);
  if (share(ink) > MAX_INK_SHARE) {
    // A dark frame around a light sheet (a scan), or the reverse: the border was not the paper.
    paper = dark ? { level: lightest, dark: false, noise: 0, light: null } : { level: 255 - darkest, dark: true, noise: 0, light: null };
    ink = inkOn(paper, page, picture);
    if (share(ink) > MAX_INK_SHARE) {
      throw new SketchSolid("more than 75% of the sketch is ink: no line can be told from its background");
    }
    return { paper, ink };
  }
  const [noise] = percentiles(borderOf(ink), [0.8]);
  if (noise === 0) return { paper, ink };
  paper = { ...paper, noise: Math.min(noise, MAX_NOISE) };
  return { paper, ink: inkOn(paper, page, picture) };
}

/**
 * @param {Paper} paper
 * @param {Plane} page the picture in grey
 * @param {Picture} picture
 * @param {Window} [window] of the page that it shows
 * @returns {Plane}
 */
export function inkOn(paper, page, picture, window = WHOLE_PAGE) {
  const levels = paper.dark ? inverted(page) : page;
  let ink;
  if (paper.light === null) {
    const level = Math.max(0, paper.level - paper.noise);
    ink = mapped(levels, (one) => level - Math.min(one, level));
  } else {
    const ground = lightAt(paper.light, page.width, page.height, window);
    ink = mapped(levels, (one, at) => Math.trunc(Math.min(255, Math.max(0, ground[at] - paper.noise - one))));
  }
  if (picture.length === 1) return ink;
  const lines = colouredLines(picture, paper.dark);
  return mapped(ink, (one, at) => Math.max(one, lines.data[at]));
}

/** Pencil and thin lines become black: the darkest tenth of the ink goes to 255. @param {Plane} ink @param {number} contrast @returns {Plane} throws SketchEmpty */
export function darkened(ink, contrast) {
  const most = strongest(ink);
  const least = Math.max(Math.floor(contrast / 2), Math.floor(most / 4));
  const levels = countsOf(ink.data).fill(0, 0, least + 1);
  const count = levels.reduce((a, b) => a + b, 0);
  if (most < contrast || count < Math.min(MIN_INK_PIXELS, Math.floor(ink.data.length / 64))) {
    throw new SketchEmpty("the sketch is empty: nothing is drawn on it");
  }
  if (count - levels[255] < 0.9 * count) return ink;
  const full = firstReaching(levels, 0.9 * count);
  if (full >= 255) return ink;
  const gain = Math.fround(255 / full);
  return mapped(ink, (level) => Math.trunc(Math.min(255, Math.fround(level * gain))));
}

/** @param {Plane} of @returns {Plane} */
export function inverted(of) {
  return mapped(of, (level) => 255 - level);
}

/** @param {Picture} picture in colour @param {boolean} dark @returns {Plane} ink of the lines that differ from what is around them in one channel at least */
function colouredLines(picture, dark) {
  const [red, green, blue] = picture.length === 3 ? picture.map(({ data }) => data) : [];
  const channels = plane(picture[0].width, picture[0].height);
  for (let n = 0; n < red.length; n++) {
    channels.data[n] = dark ? Math.max(red[n], green[n], blue[n]) : 255 - Math.min(red[n], green[n], blue[n]);
  }
  const opened = opening(channels, LINE_RADIUS_PX);
  const lines = mapped(channels, (level, at) => level - Math.min(level, opened.data[at]));
  const middle = spread(lines, SOFT_PX, "most", 0);
  return mapped(lines, (level, at) => Math.min(255, Math.floor((level * 255) / Math.max(128, middle.data[at]))));
}

/** @param {Plane} of @param {number} radius @returns {Plane} without what is narrower, the edge going on outside */
function opening(of, radius) {
  // Wide enough for both steps: what the first one makes of the outside counts in the second.
  const framed = plane(of.width + 2 * radius, of.height + 2 * radius);
  for (let y = 0; y < framed.height; y++) {
    const row = Math.min(of.height - 1, Math.max(0, y - radius)) * of.width;
    for (let x = 0; x < framed.width; x++) {
      framed.data[y * framed.width + x] = of.data[row + Math.min(of.width - 1, Math.max(0, x - radius))];
    }
  }
  const most = spread(spread(framed, radius, "least", "edge"), radius, "most", "edge");
  return cropped(most, [radius, radius, radius + of.width, radius + of.height]);
}

/** @param {Uint8Array} levels @param {readonly number[]} shares @returns {number[]} */
function percentiles(levels, shares) {
  const counts = countsOf(levels);
  return shares.map((one) => firstReaching(counts, one * (levels.length + 1)));
}

/** @param {Uint8Array} levels @returns {Int32Array} how many there are of each */
function countsOf(levels) {
  const counts = new Int32Array(256);
  for (let n = 0; n < levels.length; n++) counts[levels[n]]++;
  return counts;
}

/** @param {Int32Array} counts @param {number} sum @returns {number} the level up to which there are as many; 256 where there are not */
function firstReaching(counts, sum) {
  let total = 0;
  for (let level = 0; level < counts.length; level++) {
    total += counts[level];
    if (total >= sum) return level;
  }
  return counts.length;
}

/** @param {Plane} ink @returns {number} */
function share({ data }) {
  let drawn = 0;
  for (let n = 0; n < data.length; n++) if (data[n] > INK_LEVEL) drawn++;
  return drawn / data.length;
}
