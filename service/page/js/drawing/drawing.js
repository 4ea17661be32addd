/**
 * The drawing: an immutable list of marks on a square board, and how it is painted.
 *
 * Coordinates and widths are in board units: the side of the board is 256 units, the size of the sketches that the
 * models are trained on, so a width of 2.5 is the line of their free-hand data whatever the screen.
 *
 * @typedef {[x: number, y: number, pressure?: number]} Point   pressure in 0..1, from pens only
 * @typedef {{kind: "stroke" | "eraser", width: number, points: Point[]}} Line
 * @typedef {{kind: "image", src: string, image: HTMLImageElement, flipped?: boolean}} Picture   flipped: shown mirrored
 * @typedef {readonly (Line | Picture)[]} Drawing
 */

import { context2d } from "../element.js";

export const BOARD_UNITS = 256;
/** @type {Drawing} */
export const EMPTY = Object.freeze([]);

/** Side of the picture that is sent. Twice the training size: the service scales down once, from smooth lines. */
const EXPORT_PX = 512;
/** Share of the side left free around what was drawn: that of the service's own rendering of strokes. */
const MARGIN = 0.08;
/** A dot stays a small thing. */
const MAX_ZOOM = 6;
/** Of 255: less is the soft edge of a line, or what an eraser leaves of one. */
const INK_ALPHA = 64;

/** @param {Drawing} drawing @returns {boolean} whether there is nothing to search for */
export function isBlank(drawing) {
  return drawing.every((mark) => mark.kind === "eraser");
}

/** @param {Drawing} drawing @returns {boolean} */
export function hasPicture(drawing) {
  return drawing.some((mark) => mark.kind === "image");
}

/** @param {Drawing} drawing @returns {string} "empty", "1 stroke", "an image and 3 strokes" */
export function describe(drawing) {
  if (isBlank(drawing)) return "empty";
  const strokes = drawing.filter((mark) => mark.kind === "stroke").length;
  const parts = hasPicture(drawing) ? ["an image"] : [];
  if (strokes) parts.push(strokes === 1 ? "1 stroke" : `${strokes} strokes`);
  return parts.join(" and ");
}

/** @param {Drawing} drawing @returns {Drawing} the same, with left and right exchanged */
export function flipped(drawing) {
  return drawing.map((mark) =>
    mark.kind === "image" ? { ...mark, flipped: !mark.flipped } : { ...mark, points: mark.points.map(flippedPoint) },
  );
}

/** @param {Point} point @returns {Point} */
function flippedPoint([x, y, ...pressure]) {
  return [BOARD_UNITS - x, y, ...pressure];
}

/**
 * Paints marks, in order, on a context that is scaled to board units. Erasers take away all that lies below them.
 * @param {CanvasRenderingContext2D} context
 * @param {Drawing} drawing
 * @param {string} ink CSS colour of the strokes
 */
export function paint(context, drawing, ink) {
  context.save();
  context.lineCap = context.lineJoin = "round";
  context.strokeStyle = context.fillStyle = ink;
  for (const mark of drawing) {
    context.globalCompositeOperation = mark.kind === "eraser" ? "destination-out" : "source-over";
    if (mark.kind === "image") paintPicture(context, mark);
    else paintLine(context, mark);
  }
  context.restore();
}

/**
 * The drawing as the service gets it: black on white whatever the colour scheme, and filling the picture wherever and
 * however small it was drawn, since the models compare places. A PNG and not strokes, because pictures and the eraser
 * have no form as strokes; the frame is the one that the service gives to strokes.
 * @param {Drawing} drawing
 * @returns {Promise<Blob>}
 */
export function toPng(drawing) {
  const context = context2d(document.createElement("canvas"), { willReadFrequently: true });
  const { canvas } = context;
  canvas.width = canvas.height = EXPORT_PX;
  const scale = EXPORT_PX / BOARD_UNITS;
  context.scale(scale, scale);
  const box = hasPicture(drawing) ? null : inkBox(context, drawing);
  if (box) {
    const zoom = Math.min(MAX_ZOOM, (BOARD_UNITS * (1 - 2 * MARGIN)) / box.side);
    context.translate(BOARD_UNITS / 2, BOARD_UNITS / 2);
    context.scale(zoom, zoom);
    context.translate(-box.x, -box.y);
    // The lines keep their width; what was rubbed out keeps its share of the drawing.
    paint(context, drawing.map((mark) => (mark.kind === "stroke" ? { ...mark, width: mark.width / zoom } : mark)), "#000");
  } else {
    paint(context, drawing, "#000");
  }
  context.resetTransform();
  context.globalCompositeOperation = "destination-over";
  context.fillStyle = "#fff";
  context.fillRect(0, 0, EXPORT_PX, EXPORT_PX);
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("The drawing could not be encoded."))), "image/png");
  });
}

/**
 * Where the lines are that no eraser took away. Looked up in pixels, because only they know what was rubbed out.
 * @param {CanvasRenderingContext2D} context of EXPORT_PX, scaled to board units; it is left blank
 * @param {Drawing} drawing
 * @returns {{x: number, y: number, side: number} | null} centre and longer side, in board units; null: nothing is left
 */
function inkBox(context, drawing) {
  paint(context, drawing.map((mark) => (mark.kind === "stroke" ? { ...mark, width: 1 } : mark)), "#000");
  const { data } = context.getImageData(0, 0, EXPORT_PX, EXPORT_PX);
  context.clearRect(0, 0, BOARD_UNITS, BOARD_UNITS);
  let [left, top, right, bottom] = [EXPORT_PX, EXPORT_PX, -1, -1];
  for (let y = 0, alpha = 3; y < EXPORT_PX; y++) {
    for (let x = 0; x < EXPORT_PX; x++, alpha += 4) {
      if (data[alpha] < INK_ALPHA) continue;
      if (x < left) left = x;
      if (x > right) right = x;
      if (y < top) top = y;
      bottom = y;
    }
  }
  if (right < 0) return null;
  const scale = EXPORT_PX / BOARD_UNITS;
  // From pixel centre to pixel centre: the middle of the lines, whatever their width.
  const side = Math.max(right - left, bottom - top) / scale;
  return { x: (left + right + 1) / 2 / scale, y: (top + bottom + 1) / 2 / scale, side };
}

/** @param {CanvasRenderingContext2D} context @param {Picture} picture */
function paintPicture(context, { image, flipped: isFlipped }) {
  const scale = BOARD_UNITS / Math.max(image.naturalWidth, image.naturalHeight);
  const width = image.naturalWidth * scale;
  const height = image.naturalHeight * scale;
  context.save();
  if (isFlipped) {
    context.translate(BOARD_UNITS, 0);
    context.scale(-1, 1);
  }
  context.drawImage(image, (BOARD_UNITS - width) / 2, (BOARD_UNITS - height) / 2, width, height);
  context.restore();
}

/** @param {CanvasRenderingContext2D} context @param {Line} line */
function paintLine(context, { width, points }) {
  const [first] = points;
  if (points.length === 1) {
    context.beginPath();
    context.arc(first[0], first[1], width / 2, 0, 2 * Math.PI);
    context.fill();
    return;
  }
  // Quadratic curves through the midpoints: smooth, and no point ever moves a part that was drawn before its neighbour.
  const pressed = first.length === 3;
  context.lineWidth = lineWidth(width, first);
  context.beginPath();
  context.moveTo(first[0], first[1]);
  for (let i = 1; i < points.length; i++) {
    const point = points[i];
    const next = points[i + 1] ?? point;
    const end = [(point[0] + next[0]) / 2, (point[1] + next[1]) / 2];
    context.quadraticCurveTo(point[0], point[1], end[0], end[1]);
    if (pressed) {
      // One path has one width: each piece is a path of its own.
      context.lineWidth = lineWidth(width, point);
      context.stroke();
      context.beginPath();
      context.moveTo(end[0], end[1]);
    }
  }
  if (!pressed) context.stroke();
}

/** Pressure moves the width by no more than 35 %: the models know even lines. @param {number} width @param {Point} point */
function lineWidth(width, [, , pressure]) {
  return pressure === undefined ? width : width * (0.65 + 0.7 * pressure);
}
