/** Douglas and Peucker's simplification of a line (1973): it keeps the points without which it would be another line. */

/** @typedef {import("../drawing/drawing.js").Point} Point */

/** @param {readonly Point[]} points @param {number} tolerance how far a point that is left out may lie from the line */
export function simplified(points, tolerance) {
  const kept = new Set([0, points.length - 1]);
  const spans = [[0, points.length - 1]];
  for (let span = spans.pop(); span; span = spans.pop()) {
    const [first, last] = span;
    let [furthest, distance] = [-1, tolerance];
    for (let i = first + 1; i < last; i++) {
      const d = distanceToSegment(points[i], points[first], points[last]);
      if (d > distance) [furthest, distance] = [i, d];
    }
    if (furthest < 0) continue;
    kept.add(furthest);
    spans.push([first, furthest], [furthest, last]);
  }
  return [...kept].sort((a, b) => a - b).map((index) => points[index]);
}

/** @param {Point} point @param {Point} a @param {Point} b @returns {number} */
function distanceToSegment([x, y], [ax, ay], [bx, by]) {
  const [dx, dy] = [bx - ax, by - ay];
  const length = dx * dx + dy * dy;
  const t = length === 0 ? 0 : Math.max(0, Math.min(1, ((x - ax) * dx + (y - ay) * dy) / length));
  return Math.hypot(x - ax - t * dx, y - ay - t * dy);
}
