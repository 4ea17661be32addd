/**
 * Lines of any width to lines of one pixel.
 *
 * T. Y. Zhang, C. Y. Suen: A fast parallel algorithm for thinning digital patterns, CACM 27 (3), 1984.
 *
 * @import { Plane } from "../pixels/plane.js"
 */

/** @param {Plane} drawn 1 where there is ink, else 0 @param {number} steps @returns {Plane} lines up to about twice as many pixels wide are one wide */
export function thinned(drawn, steps) {
  const row = drawn.width + 2;
  // A free pixel around the picture.
  let pixels = new Uint8Array(row * (drawn.height + 2));
  for (let y = 0; y < drawn.height; y++) {
    pixels.set(drawn.data.subarray(y * drawn.width, (y + 1) * drawn.width), (y + 1) * row + 1);
  }
  for (let step = 0; step < steps; step++) {
    const before = pixels;
    pixels = peeled(peeled(pixels, row, true), row, false);
    if (pixels.every((pixel, at) => pixel === before[at])) break;
  }
  const out = { ...drawn, data: new Uint8Array(drawn.data.length) };
  for (let y = 0; y < drawn.height; y++) {
    out.data.set(pixels.subarray((y + 1) * row + 1, (y + 2) * row - 1), y * drawn.width);
  }
  return out;
}

/** One pass of the paper's two. @param {Uint8Array} pixels @param {number} row @param {boolean} first @returns {Uint8Array<ArrayBuffer>} */
function peeled(pixels, row, first) {
  const out = new Uint8Array(pixels);
  for (let at = row + 1; at < pixels.length - row - 1; at++) {
    if (pixels[at] && isEdge(pixels, at, row) && !isInner(pixels, at, row, first)) out[at] = 0;
  }
  return out;
}

/** Whether the ink around a pixel is one run of two to six. @param {Uint8Array} pixels @param {number} at @param {number} row @returns {boolean} */
function isEdge(pixels, at, row) {
  // p2 to p9 of the paper: clockwise from above, and p2 again.
  const around = [-row, 1 - row, 1, row + 1, row, row - 1, -1, -row - 1, -row];
  let [drawn, starts] = [0, 0];
  for (let n = 0; n < 8; n++) {
    const here = pixels[at + around[n]];
    drawn += here;
    if (!here && pixels[at + around[n + 1]]) starts++;
  }
  return starts === 1 && drawn >= 2 && drawn <= 6;
}

/** Whether this pass leaves it, since it is not to the south-east (`first`) or north-west. @param {Uint8Array} pixels @param {number} at @param {number} row @param {boolean} first */
function isInner(pixels, at, row, first) {
  const [north, east, south, west] = [pixels[at - row], pixels[at + 1], pixels[at + row], pixels[at - 1]];
  return first ? east && south && (north || west) : north && west && (south || east);
}
