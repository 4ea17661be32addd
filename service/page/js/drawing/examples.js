/** Example drawings, for those who would rather tap than draw. */

import { context2d, instantiate, query } from "../element.js";
import { BOARD_UNITS, paint } from "./drawing.js";

const EXAMPLES_URL = new URL("../../examples.json", import.meta.url);
const WIDTH = 2.5;

/** @typedef {import("./drawing.js").Line} Line */

/** @typedef {{name: string, category?: string, strokes: [x: number[], y: number[]][]}} Example   category: where its photo is */

/**
 * Shows the examples once; those of a category that the gallery lacks are left out.
 *
 * @param {HTMLElement} root gets a button for each example
 * @param {HTMLTemplateElement} template
 * @param {readonly string[]} categories of the gallery
 * @param {(drawing: import("./drawing.js").Drawing, category: string | undefined) => void} onPick
 */
export async function showExamples(root, template, categories, onPick) {
  if (root.dataset.shown) return;
  root.dataset.shown = "true";
  const response = await fetch(EXAMPLES_URL).catch(() => null);
  if (!response?.ok) return; // The page works without examples.
  /** @type {Example[]} */
  const examples = await response.json();
  for (const { name, category, strokes } of examples) {
    if (category !== undefined && !categories.includes(category)) continue;
    /** @type {Line[]} */
    const drawing = strokes.map(toLine);
    const button = instantiate(template);
    query(button, ".example-name", HTMLElement).textContent = name;
    button.addEventListener("click", () => onPick(drawing, category));
    root.append(button);
    paintThumbnail(query(button, "canvas", HTMLCanvasElement), drawing);
  }
}

/** @param {[x: number[], y: number[]]} stroke as Quick, Draw! has them: all x, then all y @returns {Line} */
function toLine([xs, ys]) {
  return { kind: "stroke", width: WIDTH, points: xs.map((x, i) => [x, ys[i]]) };
}

/** @param {HTMLCanvasElement} canvas @param {Line[]} drawing */
function paintThumbnail(canvas, drawing) {
  const context = context2d(canvas);
  context.scale(canvas.width / BOARD_UNITS, canvas.height / BOARD_UNITS);
  // So small, the lines need twice their width to read as the same drawing.
  const bold = drawing.map((mark) => ({ ...mark, width: 2 * mark.width }));
  paint(context, bold, getComputedStyle(canvas).color);
}
