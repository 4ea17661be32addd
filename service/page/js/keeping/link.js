/** The drawing in the page's address: after the #, which browsers send to nobody. */

import { decodeDrawing } from "./code.js";

const NAME = "drawing";

/** @param {string} code @returns {string} the address of the page as it is, with a drawing */
export function drawingAddress(code) {
  const url = new URL(location.href);
  url.hash = `${NAME}=${code}`;
  return url.href;
}

/**
 * Takes the drawing out of the address, so that no later one is mistaken for it.
 * @returns {import("../drawing/drawing.js").Drawing | null | undefined} undefined: there is none; null: it cannot be read
 */
export function takeDrawing() {
  const code = new URLSearchParams(location.hash.slice(1)).get(NAME);
  if (code === null) return undefined;
  history.replaceState(history.state, "", location.pathname + location.search);
  return decodeDrawing(code);
}
