/** Teaching in plain words: what to do next, and how a fit ended. */

/** @typedef {import("../api/adapters.js").Adapter} Adapter */
/** @typedef {import("../api/adapters.js").Target} Target */

/** As many pairs are a good support set; fewer can be fitted to, too. */
const GOOD_PAIRS = 5;

/**
 * @param {{pairs: number, hasPhoto: boolean, isBlank: boolean, needsPhotos: boolean, outside: string | null}} state pairs: how
 *   many were collected; hasPhoto: the drawing on the board is one of them; isBlank: the board is; needsPhotos: the category
 *   has none yet; outside: the category that some photos are outside of
 * @returns {string} what to do next
 */
export function nextStep({ pairs, hasPhoto, isBlank, needsPhotos, outside }) {
  if (outside !== null) return `Photos of other categories cannot be used for “${outside}”: remove them, or name their category.`;
  if (hasPhoto && pairs >= GOOD_PAIRS) return "Marked. That is enough to learn from; more pairs make it better.";
  if (hasPhoto) return `Marked. Now draw another one: about ${GOOD_PAIRS} pairs work best.`;
  const mark = needsPhotos ? "add photos of it" : "press ✓ on the photo that you meant";
  if (!isBlank) return `Now ${mark}.`;
  return pairs ? `Draw the next one, then ${mark}.` : `Draw something, then ${mark}. Do so about ${GOOD_PAIRS} times.`;
}

/** @param {Target} target @returns {string} the searches that its adapter changes, within a sentence */
export function whereOf({ kind, name }) {
  return kind === "category" ? `searches in “${name}”` : `searches drawn by “${name}”`;
}

/** @param {Adapter} adapter @param {Target} target @returns {{title: string, text: string}} */
export function verdict(adapter, target) {
  const where = whereOf(target);
  if (adapter.state !== "active") {
    const text = `On these examples the right photos ranked lower than before, so ${where} stay as they were. More examples may help.`;
    return { title: "Not active: it would be worse", text };
  }
  const used = `From now on ${where} use ${adapter.k === 1 ? "this drawing" : `these ${adapter.k} drawings`}.`;
  if (gain(adapter) > 0) return { title: "It has learned", text: used };
  if (gain(adapter) < 0) return { title: "Active, at your request", text: used };
  return { title: "Active", text: `${used} On these examples it makes no difference.` };
}

/** @param {Adapter} adapter @returns {number} in mean reciprocal rank, as the service's gate measures it; above 0: better */
export function gain({ leave_one_out: { before, after } }) {
  const difference = after.mrr - before.mrr;
  return Math.abs(difference) < 1e-9 ? 0 : difference;
}

/** @param {number} part in 0..1 @param {number} whole @returns {string} "3 of 5"; in per cent where that would not be a whole number */
export function share(part, whole) {
  const count = part * whole;
  return Math.abs(count - Math.round(count)) < 0.01 ? `${Math.round(count)} of ${whole}` : `${Math.round(100 * part)} %`;
}
