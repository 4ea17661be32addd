/**
 * The drawing: an immutable list of marks on a square board, and how it is painted.
 *
 * Coordinates and widths are in board units: the side of the board is 256 units, the size of the sketches that the
 * models are trained on, so a width of 2.5 is the line of their free-hand data whatever the screen.
 *
 * @typedef {[x: number, y: number, pressure?: number]} Point   pressure in 0..1, from pens only
 * @typedef {{kind: "stroke" | "eraser", width: number, points: Point[]}} Line
 * @typedef {{kind: "image", src: string, image: HTMLImageElement, flipped?: boolean, frame?: {x: number, y: number, side: number}}} Picture
 *   flipped: shown mirrored; frame: the square that it is fitted into, mostly the board
 * @typedef {readonly (Line | Picture)[]} Drawing
 */

import { context2d } from "../element.js";
import { text } from "../texts.js";

export const BOARD_UNITS = 256;
/** @type {Drawing} */
export const EMPTY = Object.freeze([]);


/** @param {Drawing} drawing @returns {boolean} whether there is nothing to search for */
export function isBlank(drawing) {
  return drawing.every((mark) => mark.kind === "eraser");
}

/** @param {Drawing} drawing @returns {boolean} */
export function hasPicture(drawing) {
  return drawing.some((mark) => mark.kind === "image");
}

/** @param {Drawing} drawing @returns {string} the board in words, for who cannot see it */
export function describe(drawing) {
  if (isBlank(drawing)) return text("board.empty");
  const strokes = drawing.filter((mark) => mark.kind === "stroke").length;
  if (!hasPicture(drawing)) return text("board.strokes", { count: strokes });
  return strokes ? text("board.picture_and_strokes", { count: strokes }) : text("board.picture");
}

/** @param {Drawing} drawing @returns {Drawing} the same, with left and right exchanged */
export function flipped(drawing) {
  return drawing.map((mark) =>
    mark.kind === "image" ? { ...mark, flipped: !mark.flipped, frame: mark.frame && { ...mark.frame, x: BOARD_UNITS - mark.frame.x - mark.frame.side } } : { ...mark, points: mark.points.map(flippedPoint) },
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

/** A drawing small: so small, lines need twice their width to read as the same. @param {HTMLCanvasElement} canvas @param {Drawing} drawing */
export function paintSmall(canvas, drawing) {
  const context = context2d(canvas);
  context.scale(canvas.width / BOARD_UNITS, canvas.height / BOARD_UNITS);
  paint(context, drawing.map((mark) => (mark.kind === "image" ? mark : { ...mark, width: 2 * mark.width })), getComputedStyle(canvas).color);
}

/** @param {CanvasRenderingContext2D} context @param {Picture} picture */
function paintPicture(context, { image, flipped: isFlipped, frame = { x: 0, y: 0, side: BOARD_UNITS } }) {
  const scale = frame.side / Math.max(image.naturalWidth, image.naturalHeight);
  const width = image.naturalWidth * scale;
  const height = image.naturalHeight * scale;
  context.save();
  context.translate(frame.x + frame.side / 2, frame.y + frame.side / 2);
  if (isFlipped) context.scale(-1, 1);
  context.drawImage(image, -width / 2, -height / 2, width, height);
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
export function lineWidth(width, [, , pressure]) {
  return pressure === undefined ? width : width * (0.65 + 0.7 * pressure);
}
