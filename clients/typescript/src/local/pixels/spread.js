/**
 * The least or the most of what surrounds each pixel: erosion and dilation by a square.
 *
 * @import { Plane } from "./plane.js"
 */

import { plane, transposed } from "./plane.js";

/**
 * @param {Plane} of
 * @param {number} radius of the square, which has 2 radius + 1 pixels a side
 * @param {"least" | "most"} kind
 * @param {number | "edge"} around level of what lies outside, or that of the nearest pixel
 * @returns {Plane} of the same size
 */
export function spread(of, radius, kind, around) {
  return transposed(alongRows(transposed(alongRows(of, radius, kind, around)), radius, kind, around));
}

/** @param {Plane} of @param {number} radius @param {"least" | "most"} kind @param {number | "edge"} around @returns {Plane} */
function alongRows({ width, height, data }, radius, kind, around) {
  const out = plane(width, height);
  const isMost = kind === "most";
  for (let y = 0; y < height; y++) {
    const row = data.subarray(y * width, (y + 1) * width);
    for (let x = 0; x < width; x++) {
      const [first, last] = [Math.max(0, x - radius), Math.min(width - 1, x + radius)];
      let found = around !== "edge" && last - first < 2 * radius ? around : row[x];
      for (let n = first; n <= last; n++) if (isMost ? row[n] > found : row[n] < found) found = row[n];
      out.data[y * width + x] = found;
    }
  }
  return out;
}
