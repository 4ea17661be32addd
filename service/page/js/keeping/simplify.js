/** Fewer points for the same line: Douglas and Peucker's simplification (1973), with corners that stay corners. */

/** @typedef {import("../drawing/drawing.js").Point} Point */

/** @param {readonly Point[]} points @param {number} tolerance how far the line may be from what it was @returns {Point[]} */
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
  return withCorners([...kept].sort((a, b) => a - b).map((index) => points[index]), tolerance);
}

/**
 * Lines are painted as curves through the middles between points, which cut a corner between far ones by an eighth of
 * |2 p - before - after|. Where that is too much, two more points hold the corner.
 * @param {readonly Point[]} points @param {number} tolerance @returns {Point[]}
 */
function withCorners(points, tolerance) {
  return points.flatMap((point, index) => {
    const [before, after] = [points[index - 1], points[index + 1]];
    if (!before || !after) return [point];
    const cut = Math.hypot(2 * point[0] - before[0] - after[0], 2 * point[1] - before[1] - after[1]) / 8;
    return cut > tolerance ? [towards(point, before, 4 * tolerance), point, towards(point, after, 4 * tolerance)] : [point];
  });
}

/** @param {Point} from @param {Point} to @param {number} distance @returns {Point} at most half of the way */
function towards(from, to, distance) {
  const share = Math.min(0.5, distance / Math.hypot(to[0] - from[0], to[1] - from[1]));
  const [, , ...pressure] = from;
  return [from[0] + share * (to[0] - from[0]), from[1] + share * (to[1] - from[1]), ...pressure];
}

/** @param {Point} point @param {Point} a @param {Point} b @returns {number} */
function distanceToSegment([x, y], [ax, ay], [bx, by]) {
  const [dx, dy] = [bx - ax, by - ay];
  const length = dx * dx + dy * dy;
  const t = length === 0 ? 0 : Math.max(0, Math.min(1, ((x - ax) * dx + (y - ay) * dy) / length));
  return Math.hypot(x - ax - t * dx, y - ay - t * dy);
}
