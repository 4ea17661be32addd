/** @import { Plane } from "../pixels/plane.js" */

/** @param {Plane} of @returns {Uint8Array} levels of the pixels along the edges, corners twice */
export function borderOf({ width, height, data }) {
  const ring = Math.max(1, Math.floor(Math.min(width, height) / 50));
  const sides = [];
  for (let y = 0; y < height; y++) {
    const row = data.subarray(y * width, (y + 1) * width);
    // One after the other: in a thin picture a row is one of both edges.
    if (y < ring) sides.push(row);
    if (y >= height - ring) sides.push(row);
    sides.push(row.subarray(0, ring), row.subarray(width - ring));
  }
  const out = new Uint8Array(sides.reduce((sum, side) => sum + side.length, 0));
  let at = 0;
  for (const side of sides) {
    out.set(side, at);
    at += side.length;
  }
  return out;
}
