/** Example drawings for those who would rather tap than draw: strokes of our own, in board units. */

import { BOARD_UNITS, paint } from "./drawing.js";

const WIDTH = 2.5;

/** @type {{name: string, strokes: [number, number][][]}[]} */
const EXAMPLES = [];

/**
 * @param {HTMLElement} root gets a button an example
 * @param {HTMLTemplateElement} template
 * @param {(drawing: import("./drawing.js").Drawing) => void} onPick
 */
export function showExamples(root, template, onPick) {
  for (const { name, strokes } of EXAMPLES) {
    const drawing = strokes.map((points) => ({ kind: "stroke", width: WIDTH, points }));
    const button = template.content.firstElementChild.cloneNode(true);
    button.querySelector(".example-name").textContent = name;
    button.addEventListener("click", () => onPick(drawing));
    root.append(button);
    paintThumbnail(button.querySelector("canvas"), drawing);
  }
}

function paintThumbnail(canvas, drawing) {
  const context = canvas.getContext("2d");
  context.scale(canvas.width / BOARD_UNITS, canvas.height / BOARD_UNITS);
  // Small pictures need a bolder line to read as the same drawing.
  const bold = drawing.map((mark) => ({ ...mark, width: 2 * mark.width }));
  paint(context, bold, getComputedStyle(canvas).color);
}
