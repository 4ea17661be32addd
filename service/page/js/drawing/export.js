/** The drawing as the service gets it. */

import { blankContext } from "../element.js";
import { BOARD_UNITS, hasPicture, paint } from "./drawing.js";
import { ontoBoard } from "./transform.js";

/** @typedef {import("./drawing.js").Drawing} Drawing */

/** Side of the picture that is sent. Twice the training size: the service scales down once, from smooth lines. */
const EXPORT_PX = 512;
/** Share of the side left free around what was drawn: that of the service's own rendering of strokes. */
const MARGIN = 0.08;
/** A dot stays a small thing. */
const MAX_ZOOM = 6;
/** Of 255: less is the soft edge of a line, or what an eraser leaves of one. */
const INK_ALPHA = 64;

/**
 * Black on white whatever the colour scheme, and filling the picture wherever and
 * however small it was drawn, since the models compare places. A PNG and not strokes, because pictures and the eraser
 * have no form as strokes; the frame is the one that the service gives to strokes.
 * @param {Drawing} drawing
 * @returns {Promise<Blob>}
 */
export function toPng(drawing) {
  // A picture that was moved or scaled is what it was before: with what is drawn around it, it fills the square again.
  const fills = drawing.some((mark) => mark.kind === "image" && mark.frame);
  return framedPng(ontoBoard(drawing, { fills }));
}

/** @param {Drawing} drawing on the board @returns {Promise<Blob>} */
function framedPng(drawing) {
  const context = blankContext(EXPORT_PX, { willReadFrequently: true });
  const { canvas } = context;
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
