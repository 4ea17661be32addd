/** Example drawings, for those who would rather tap than draw. */

import { below } from "../api/root.js";
import { instantiate, query } from "../element.js";
import { LANGUAGE } from "../texts.js";
import { paintSmall } from "./drawing.js";

const EXAMPLES = "page/examples.json";
const WIDTH = 2.5;

/** @typedef {import("./drawing.js").Line} Line */

/** @typedef {{names: Record<string, string>, category?: string, strokes: [x: number[], y: number[]][]}} Example
 *   names: by language; category: where its photo is */

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
  for (const { names, category, strokes } of await loadExamples()) {
    if (category !== undefined && !categories.includes(category)) continue;
    /** @type {Line[]} */
    const drawing = strokes.map(toLine);
    const button = instantiate(template);
    query(button, ".example-name", HTMLElement).textContent = names[LANGUAGE] ?? names.en;
    button.addEventListener("click", () => onPick(drawing, category));
    root.append(button);
    paintSmall(query(button, "canvas", HTMLCanvasElement), drawing);
  }
}

/** @returns {Promise<Example[]>} none where they cannot be loaded: the page works without */
async function loadExamples() {
  try {
    return await (await fetch(below(EXAMPLES))).json();
  } catch {
    return [];
  }
}

/** @param {[x: number[], y: number[]]} stroke as Quick, Draw! has them: all x, then all y @returns {Line} */
function toLine([xs, ys]) {
  return { kind: "stroke", width: WIDTH, points: xs.map((x, i) => [x, ys[i]]) };
}
