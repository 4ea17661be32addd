/** A drawing as a file to keep: PNG as it is on the board, or SVG. */

import { BOARD_UNITS, lineWidth, paint } from "../drawing/drawing.js";
import { ontoBoard } from "../drawing/transform.js";
import { blankContext } from "../element.js";

/** @typedef {import("../drawing/drawing.js").Drawing} Drawing */
/** @typedef {import("../drawing/drawing.js").Line} Line */
/** @typedef {import("../drawing/drawing.js").Picture} Picture */

const PNG_PX = 1024;
const INK = "#000";
const PAPER = "#fff";

/** @param {Drawing} drawing @returns {Promise<Blob>} black on white, where it is on the board */
export function pngFile(drawing) {
  const context = blankContext(PNG_PX);
  context.scale(PNG_PX / BOARD_UNITS, PNG_PX / BOARD_UNITS);
  paint(context, ontoBoard(drawing), INK);
  context.resetTransform();
  context.globalCompositeOperation = "destination-over";
  context.fillStyle = PAPER;
  context.fillRect(0, 0, PNG_PX, PNG_PX);
  return new Promise((resolve, reject) => {
    context.canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("The drawing could not be encoded."))), "image/png");
  });
}

/** @param {Drawing} drawing @returns {Blob} the same as SVG; an eraser is a line of paper, which every reader of SVG knows */
export function svgFile(drawing) {
  const body = ontoBoard(drawing).map((mark) => (mark.kind === "image" ? pictureSvg(mark) : lineSvg(mark, mark.kind === "eraser" ? PAPER : INK)));
  const paper = `<rect width="${BOARD_UNITS}" height="${BOARD_UNITS}" fill="${PAPER}"/>`;
  const start = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${BOARD_UNITS} ${BOARD_UNITS}" width="512" height="512">`;
  const lines = `<g fill="none" stroke-linecap="round" stroke-linejoin="round">${body.join("")}</g>`;
  return new Blob([`${start}${paper}${lines}</svg>\n`], { type: "image/svg+xml" });
}

/** @param {Line} line @param {string} colour @returns {string} the curves of `paint` */
function lineSvg({ width, points }, colour) {
  const [first] = points;
  if (points.length === 1) return `<circle cx="${first[0]}" cy="${first[1]}" r="${short(width / 2)}" fill="${colour}"/>`;
  const pieces = points.slice(1).map((point, i) => {
    const next = points[i + 2] ?? point;
    return { curve: `Q${point[0]} ${point[1]} ${short((point[0] + next[0]) / 2)} ${short((point[1] + next[1]) / 2)}`, point };
  });
  const path = (/** @type {string} */ d, /** @type {number} */ w) => `<path d="${d}" stroke="${colour}" stroke-width="${short(w)}"/>`;
  if (first.length !== 3) return path(`M${first[0]} ${first[1]}${pieces.map(({ curve }) => curve).join("")}`, width);
  let from = `${first[0]} ${first[1]}`;
  return pieces.map(({ curve, point }, i) => {
    const one = path(`M${from}${curve}`, lineWidth(width, i ? point : first));
    from = curve.split(" ").slice(2).join(" ");
    return one;
  }).join("");
}

/** @param {Picture} picture @returns {string} */
function pictureSvg({ src, flipped, frame = { x: 0, y: 0, side: BOARD_UNITS } }) {
  const { x, y, side } = frame;
  const turn = flipped ? ` transform="translate(${short(2 * x + side)} 0) scale(-1 1)"` : "";
  return `<image href="${src}" x="${short(x)}" y="${short(y)}" width="${short(side)}" height="${short(side)}"${turn}/>`;
}

/** @param {number} value @returns {number} */
function short(value) {
  return Math.round(value * 100) / 100;
}
