/** Teaching in plain words: what to do next, and what came of a lesson. */

/** @typedef {import("./adapters.js").Adapter} Adapter */
/** @typedef {import("./adapters.js").Subject} Subject */

/** From here on a lesson is a good one; fewer pairs teach too. */
const GOOD_PAIRS = 5;

/**
 * @param {{pairs: number, hasAnswer: boolean, isBlank: boolean, needsPhotos: boolean, foreignTo: string | null}} state pairs: so many were
 *   collected; hasAnswer: the drawing on the board is one of them; isBlank: the board is; needsPhotos: the category has none yet;
 *   foreignTo: the category that some photos are not of
 * @returns {string} what to do next
 */
export function nextStep({ pairs, hasAnswer, isBlank, needsPhotos, foreignTo }) {
  if (foreignTo !== null) return `Photos of other categories cannot teach “${foreignTo}”: remove them, or name their category.`;
  if (hasAnswer && pairs >= GOOD_PAIRS) return "Got it. That is a good lesson; more pairs make it a better one.";
  if (hasAnswer) return `Got it. Now draw another one: about ${GOOD_PAIRS} pairs teach best.`;
  const mark = needsPhotos ? "add photos of it" : "press ✓ on the photo that you meant";
  if (!isBlank) return `Now ${mark}.`;
  return pairs ? `Draw the next one, then ${mark}.` : `Draw something, then ${mark}. Do so about ${GOOD_PAIRS} times.`;
}

/** @param {Subject} subject @returns {string} where it works, within a sentence */
export function whereOf({ kind, name }) {
  return kind === "category" ? `searches in “${name}”` : `searches drawn by “${name}”`;
}

/** @param {Adapter} adapter @param {Subject} subject @returns {{title: string, text: string}} */
export function verdict(adapter, subject) {
  const where = whereOf(subject);
  if (adapter.state !== "active") {
    const text = `Tried on these examples, the right photos came later than before. So ${where} stay as they were. More examples may help.`;
    return { title: "Not in use: it would be worse", text };
  }
  const used = `From now on ${where} use ${adapter.k === 1 ? "this drawing" : `these ${adapter.k} drawings`}.`;
  if (change(adapter) > 0) return { title: "It has learned", text: used };
  return change(adapter) < 0 ? { title: "In use, as you wish", text: used } : { title: "In use", text: `${used} On these examples it makes no difference.` };
}

/** @param {Adapter} adapter @returns {number} above 0: the right photos stand further in front than before; the service's own measure */
export function change({ leave_one_out: { before, after } }) {
  const gain = after.mrr - before.mrr;
  return Math.abs(gain) < 1e-9 ? 0 : gain;
}

/** @param {number} part in 0..1 @param {number} whole @returns {string} "3 of 5"; in per cent where that would not be a whole number */
export function share(part, whole) {
  const count = part * whole;
  return Math.abs(count - Math.round(count)) < 0.01 ? `${Math.round(count)} of ${whole}` : `${Math.round(100 * part)} %`;
}
