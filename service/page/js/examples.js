/** Example drawings, for those who would rather tap than draw. */

import { BOARD_UNITS, paint } from "./drawing.js";

const EXAMPLES_URL = "/page/examples.json";
const WIDTH = 2.5;

/**
 * @param {HTMLElement} root gets a button for each example
 * @param {HTMLTemplateElement} template
 * @param {(drawing: import("./drawing.js").Drawing) => void} onPick
 */
export async function showExamples(root, template, onPick) {
  const response = await fetch(EXAMPLES_URL).catch(() => null);
  if (!response?.ok) return; // An extra: without it the page is whole.
  for (const { name, strokes } of await response.json()) {
    const drawing = strokes.map(toLine);
    const button = template.content.firstElementChild.cloneNode(true);
    button.querySelector(".example-name").textContent = name;
    button.addEventListener("click", () => onPick(drawing));
    root.append(button);
    paintThumbnail(button.querySelector("canvas"), drawing);
  }
}

/** The file has strokes as Quick, Draw! has them: all x, then all y. */
function toLine([xs, ys]) {
  return { kind: "stroke", width: WIDTH, points: xs.map((x, i) => [x, ys[i]]) };
}

function paintThumbnail(canvas, drawing) {
  const context = canvas.getContext("2d");
  context.scale(canvas.width / BOARD_UNITS, canvas.height / BOARD_UNITS);
  // So small, the lines need twice their width to read as the same drawing.
  const bold = drawing.map((mark) => ({ ...mark, width: 2 * mark.width }));
  paint(context, bold, getComputedStyle(canvas).color);
}
