/** Names that somebody may have meant: what a name was before it was changed, or how it is written right. */

const MOST = 4;
/** Of the longer name's letters, the share that may differ. */
const MOST_DIFFERENT = 0.4;

/** @param {string} name @param {readonly string[]} known @returns {string[]} the close ones among them, the closest first */
export function closeNames(name, known) {
  const wanted = plain(name);
  return known
    .map((one) => ({ one, distance: distance(wanted, plain(one)) }))
    .filter((candidate) => candidate.distance <= MOST_DIFFERENT)
    .sort((a, b) => a.distance - b.distance)
    .slice(0, MOST)
    .map(({ one }) => one);
}

/** @param {string} name @returns {string} without what people leave out: capitals, accents, signs */
function plain(name) {
  return name.normalize("NFD").replace(/[^\p{Letter}\p{Number}]/gu, "").toLowerCase();
}

/** @param {string} a @param {string} b @returns {number} in 0..1; 0: equal; a name within the other is close, however long that is */
function distance(a, b) {
  if (!a || !b) return 1;
  if (a.includes(b) || b.includes(a)) return 0.1 * (1 - Math.min(a.length, b.length) / Math.max(a.length, b.length));
  return edits(a, b) / Math.max(a.length, b.length);
}

/** @param {string} a @param {string} b @returns {number} Levenshtein's: letters to insert, delete or replace */
function edits(a, b) {
  let row = [...Array(b.length + 1).keys()];
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) next.push(Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[b.length];
}
