/**
 * A sketch from anywhere to dark lines on a white square: ink apart from paper, framed, its lines of one width (the service's
 * normalisation.py, which has the reasons of these numbers).
 *
 * @import { Picture, Plane, Window } from "../pixels/plane.js"
 * @import { Paper } from "./ink.js"
 * @import { Box } from "./page.js"
 * @import { Purpose } from "../purpose.js"
 * @typedef {object} Placing
 * @property {number} min_extent
 * @property {number} target_extent
 */

import { cropped, eachOf, paste, plane, rounded, strongest } from "../pixels/plane.js";
import { extent, resized } from "../pixels/resample.js";
import { INK_LEVEL, darkened, grey, inkOn, inverted, isColoured, minContrast, paperAndInk } from "./ink.js";
import { lineWidth, ofOneWidth } from "./line_width.js";
import { ANYWHERE } from "../purpose.js";
import { drawnBox, extentOf, withoutBorder, withoutRules } from "./page.js";

const WORK_PX = 256;
const FRAMED_PX = 215;
const AROUND_PX = 2;
const MAX_ASPECT = 1.1;
const VISIBLE = 127;
const MIN_EXTENT = 0.2;
const ALONE_EXTENT = 0.8;
const [CORNER_EXTENT, CORNER_DISTANCE] = [0.45, 0.2];
const [EDGE_EXTENT, EDGE_DISTANCE] = [0.3, 0.4];

/**
 * @param {Picture} sent
 * @param {Placing} placing
 * @param {Purpose} [purpose]
 * @returns {Plane} square, dark lines on white, at most 256 px a side; throws SketchEmpty, SketchSolid
 */
export function normalised(sent, placing, { frame, inDetail, alone } = ANYWHERE) {
  const picture = isColoured(sent) ? sent : /** @type {const} */ ([grey(sent)]);
  const page = reduced(picture);
  const found = paperAndInk(page);
  const ink = darkened(found.ink, minContrast(found.paper));
  if (frame === "false") return inverted(placed(ink, drawnBox(ink), placing));
  let clean = withoutRules(withoutBorder(ink));
  if (strongest(clean) <= INK_LEVEL) clean = ink; // nothing but lines across the page: they are the drawing
  let box = drawnBox(clean);
  let framed;
  if (frame === "true" || clean !== ink || saysNothing(box, clean, alone)) {
    if (clean === ink && page !== picture) {
      clean = closeUp(picture, found.paper, box, page);
      box = drawnBox(clean);
    }
    framed = framedIn(clean, box);
  } else {
    framed = placed(clean, box, placing);
  }
  const lines = ofOneWidth(framed, inDetail);
  // A drawing of a few pixels may be lost by being made clean: then it is better seen as it was sent.
  return inverted(strongest(lines) > VISIBLE ? lines : placed(ink, drawnBox(ink), placing));
}

/** @param {Picture} picture @returns {Picture} at most 256 px a side; the same one where it is */
function reduced(picture) {
  const { width, height } = picture[0];
  const longer = Math.max(width, height);
  if (longer <= WORK_PX) return picture;
  const scale = WORK_PX / longer;
  const size = /** @type {const} */ ([Math.max(1, rounded(width * scale)), Math.max(1, rounded(height * scale))]);
  return eachOf(picture, (one) => resized(one, ...size, "box"));
}

/** @param {Box} box @param {Plane} ink @param {boolean} alone @returns {boolean} whether its size and place tell no photos apart */
function saysNothing(box, { width, height }, alone) {
  const side = Math.max(width, height);
  if (side > MAX_ASPECT * Math.min(width, height) || extentOf(box) < (alone ? ALONE_EXTENT : MIN_EXTENT) * side) return true;
  const [across, down] = [width - (box.right - box.left), height - (box.bottom - box.top)];
  const distances = [
    Math.abs(box.left + box.right - width) / (2 * Math.max(1, across)),
    Math.abs(box.top + box.bottom - height) / (2 * Math.max(1, down)),
  ];
  const inCorner = extentOf(box) < CORNER_EXTENT * side && Math.min(...distances) > CORNER_DISTANCE;
  const atEdge = extentOf(box) < EDGE_EXTENT * side && Math.max(...distances) > EDGE_DISTANCE;
  return inCorner || atEdge;
}

/** @param {Plane} ink @param {Box} box @returns {Plane} the drawing in it, centred on a square as strokes are */
function framedIn(ink, box) {
  // Strokes are framed by the middle of their lines, whatever these are wide.
  const side = (Math.max(1, extentOf(box) - lineWidth(ink)) * WORK_PX) / FRAMED_PX;
  const [left, top] = [(box.left + box.right - side) / 2, (box.top + box.bottom - side) / 2];
  return extent(ink, WORK_PX, [left, top, left + side, top + side]);
}

/** @param {Picture} picture @param {Paper} paper @param {Box} box @param {Picture} page @returns {Plane} the ink in the box of the page, from the picture before it was reduced */
function closeUp(picture, paper, box, page) {
  const { width, height } = page[0];
  /** @type {Window} */
  const window = [
    Math.max(0, box.left - AROUND_PX) / width,
    Math.max(0, box.top - AROUND_PX) / height,
    Math.min(width, box.right + AROUND_PX) / width,
    Math.min(height, box.bottom + AROUND_PX) / height,
  ];
  const whole = picture[0];
  const [left, top, right, bottom] = [window[0] * whole.width, window[1] * whole.height, window[2] * whole.width, window[3] * whole.height];
  const scale = Math.min(1, WORK_PX / Math.max(right - left, bottom - top));
  const size = /** @type {const} */ ([Math.max(1, rounded((right - left) * scale)), Math.max(1, rounded((bottom - top) * scale))]);
  const filter = size[0] > right - left ? "bicubic" : "box";
  const part = eachOf(picture, (one) => resized(one, ...size, filter, [left, top, right, bottom]));
  return darkened(inkOn(paper, grey(part), part, window), minContrast(paper));
}

/** @param {Plane} ink @param {Box} box @param {Placing} placing @returns {Plane} where it was drawn, on a square; centred where it is small */
function placed(ink, box, placing) {
  const canvas = Math.max(ink.width, ink.height);
  if (extentOf(box) >= placing.min_extent * canvas) return ink.width === ink.height ? ink : centred(ink, canvas);
  const side = Math.max(8, rounded(extentOf(box) / placing.target_extent));
  return centred(cropped(ink, [box.left, box.top, box.right, box.bottom]), side);
}

/** @param {Plane} ink @param {number} side @returns {Plane} */
function centred(ink, side) {
  const out = plane(side, side);
  paste(out, ink, Math.floor((side - ink.width) / 2), Math.floor((side - ink.height) / 2));
  return out;
}
