/**
 * Prometheus's text exposition, and what is reckoned from it. Nothing here knows the page.
 *
 * @typedef {{labels: Record<string, string>, value: number}} Sample
 * @typedef {Map<string, Sample[]>} Exposition   samples by the name of their series
 * @typedef {(labels: Record<string, string>) => boolean} Wanted
 */

const LINE = /^([A-Za-z_:][\w:]*)(?:\{(.*)\})? (\S+)/;
const LABEL = /(\w+)="((?:\\.|[^"\\])*)"/g;
/** @type {Record<string, string>} */
const ESCAPED = { "\\\\": "\\", '\\"': '"', "\\n": "\n" };

/** @param {string} exposition @returns {Exposition} comments and lines of another form are left out */
export function parseExposition(exposition) {
  /** @type {Exposition} */
  const found = new Map();
  for (const line of exposition.split("\n")) {
    const match = LINE.exec(line);
    if (!match) continue;
    const [, name, inside = "", value] = match;
    const labels = Object.fromEntries([...inside.matchAll(LABEL)].map(([, label, quoted]) => [label, unescaped(quoted)]));
    const samples = found.get(name) ?? [];
    samples.push({ labels, value: numberOf(value) });
    found.set(name, samples);
  }
  return found;
}

/** @param {Exposition} exposition @param {string} name @param {Wanted} [wanted] @returns {number} the sum of its samples, 0 where there are none */
export function sumOf(exposition, name, wanted = () => true) {
  return (exposition.get(name) ?? []).filter(({ labels }) => wanted(labels)).reduce((sum, { value }) => sum + value, 0);
}

/** @param {Exposition} exposition @param {string} name of an info gauge @param {string} label @returns {string[]} the label's values where it is 1 */
export function namesOf(exposition, name, label) {
  return (exposition.get(name) ?? []).filter(({ value }) => value >= 1).map(({ labels }) => labels[label] ?? "");
}

/**
 * What a histogram counted between two expositions, or since the start. A counter that went back (the service was started anew)
 * counts from zero.
 *
 * @param {Exposition} now
 * @param {Exposition | null} before
 * @param {string} name without `_bucket`
 * @param {Wanted} wanted whose series are added up
 * @returns {[number, number][]} upper bounds, ascending, each with how many observations are at most that
 */
export function bucketsBetween(now, before, name, wanted) {
  const counts = bucketsOf(now, name, wanted);
  const earlier = before ? bucketsOf(before, name, wanted) : new Map();
  const isAnew = [...counts].some(([bound, count]) => count < (earlier.get(bound) ?? 0));
  return [...counts].sort(([a], [b]) => a - b).map(([bound, count]) => [bound, isAnew ? count : count - (earlier.get(bound) ?? 0)]);
}

/**
 * Interpolated within the bucket where it lies, as Prometheus's `histogram_quantile`; beyond the last finite bound, that bound.
 *
 * @param {readonly (readonly [number, number])[]} buckets of `bucketsBetween`
 * @param {number} share 0 to 1
 * @returns {number | null} null: nothing was observed
 */
export function quantile(buckets, share) {
  const total = countOf(buckets);
  if (total <= 0) return null;
  const rank = share * total;
  let [bound, count] = [0, 0];
  for (const [upper, upTo] of buckets) {
    if (upTo >= rank) {
      if (!Number.isFinite(upper)) return bound;
      return upTo === count ? upper : bound + ((upper - bound) * (rank - count)) / (upTo - count);
    }
    [bound, count] = [upper, upTo];
  }
  return bound;
}

/** @param {readonly (readonly [number, number])[]} buckets of `bucketsBetween` @returns {number} how many were observed */
export function countOf(buckets) {
  return buckets.length ? buckets[buckets.length - 1][1] : 0;
}

/** @param {Exposition} exposition @param {string} name @param {Wanted} wanted @returns {Map<number, number>} */
function bucketsOf(exposition, name, wanted) {
  /** @type {Map<number, number>} */
  const counts = new Map();
  for (const { labels, value } of exposition.get(`${name}_bucket`) ?? []) {
    const bound = numberOf(labels.le ?? "");
    if (wanted(labels)) counts.set(bound, (counts.get(bound) ?? 0) + value);
  }
  return counts;
}

/** @param {string} quoted @returns {string} */
function unescaped(quoted) {
  return quoted.replace(/\\[\\"n]/g, (pair) => ESCAPED[pair]);
}

/** @param {string} written @returns {number} */
function numberOf(written) {
  return Number(written.replace(/^([+-]?)Inf$/, "$1Infinity"));
}
