/** What came of a lesson, in plain words: did it get better, is it in use, and if not, why not. */

/** @typedef {import("./heads.js").Head} Head */
/** @typedef {import("./heads.js").Subject} Subject */

const ROWS = [
  ["Right photo first", (ranks, k) => share(ranks.acc_at_1, k)],
  ["Its place, on average", (ranks) => ranks.mean_rank.toFixed(1)],
];

/** @param {Subject} subject @returns {string} where it works, within a sentence */
export function whereOf({ kind, name }) {
  return kind === "category" ? `searches in “${name}”` : `searches drawn by “${name}”`;
}

/** @param {Head} head @param {Subject} subject @returns {{title: string, text: string}} */
export function verdict(head, subject) {
  const where = whereOf(subject);
  if (!head.went_live) {
    return { title: "Not in use: it would be no better", text: sentence(head.reason) };
  }
  const text = `From now on ${where} use ${head.k === 1 ? "this drawing" : `these ${head.k} drawings`}.`;
  return improves(head) ? { title: "It has learned", text } : { title: "In use, as you wish", text };
}

/** @param {Head} head @returns {boolean} whether the right photos stand further in front than before */
export function improves({ leave_one_out: { before, after } }) {
  return after.acc_at_1 > before.acc_at_1 || after.mrr > before.mrr || after.mean_rank < before.mean_rank;
}

/** @param {HTMLTableSectionElement} body gets a row for each figure @param {Head} head */
export function showFigures(body, { leave_one_out: { before, after }, k }) {
  const rows = ROWS.map(([term, read]) => {
    const row = document.createElement("tr");
    const name = Object.assign(document.createElement("th"), { scope: "row", textContent: term });
    row.append(name, ...[before, after].map((ranks) => Object.assign(document.createElement("td"), { textContent: read(ranks, k) })));
    return row;
  });
  body.replaceChildren(...rows);
}

/** @param {number} part in 0..1 @param {number} whole @returns {string} "3 of 5"; in per cent where that would not be a whole number */
export function share(part, whole) {
  const count = part * whole;
  return Math.abs(count - Math.round(count)) < 0.01 ? `${Math.round(count)} of ${whole}` : `${Math.round(100 * part)} %`;
}

/** The service's reasons are clauses; here they stand alone. */
function sentence(text) {
  if (!text) return "";
  const upper = text[0].toUpperCase() + text.slice(1);
  return /[.!?]$/.test(upper) ? upper : `${upper}.`;
}
