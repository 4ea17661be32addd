/** Teaching in plain words: what to do next, and how a fit ended. */

import { text } from "../texts.js";

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
  if (outside !== null) return text("next.outside", { category: outside });
  if (hasPhoto && pairs >= GOOD_PAIRS) return text("next.enough");
  if (hasPhoto) return text("next.another", { count: GOOD_PAIRS });
  const how = needsPhotos ? "add" : "mark";
  if (!isBlank) return text(`next.${how}.now`);
  return text(`next.${how}.${pairs ? "next" : "first"}`, { count: GOOD_PAIRS });
}

/** @param {Target} target @returns {string} the searches that its adapter changes, within a sentence */
export function whereOf({ kind, name }) {
  return text(kind === "category" ? "where.category" : "where.profile", { name });
}

/** @param {Adapter} adapter @param {Target} target @returns {{title: string, text: string}} */
export function verdict(adapter, target) {
  const where = whereOf(target);
  if (adapter.state !== "active") {
    return { title: text("verdict.worse"), text: text("verdict.worse.detail", { where }) };
  }
  const used = text("verdict.used", { where, count: adapter.k });
  const told = [used, expectation(adapter)].filter(Boolean).join(" ");
  // What is expected decides; where nothing is, the examples alone do.
  const decisive = adapter.leave_one_out.expected?.gain ?? gain(adapter);
  if (decisive < 0) return { title: text("verdict.forced"), text: told };
  if (gain(adapter) > 0) return { title: text("verdict.learned"), text: told };
  if (gain(adapter) < 0) return { title: text("verdict.same"), text: told };
  return { title: text("verdict.same"), text: `${told} ${text("verdict.same.detail")}` };
}

/** Gains of the mean of 1 / rank below this are not noticed: one drawing in fifty finds its photo a place earlier. */
const NOTICEABLE_GAIN = 0.01;

/** @param {Adapter} adapter @returns {string} what other drawings are expected to gain; empty where that is not known */
function expectation({ leave_one_out: { expected } }) {
  if (!expected) return "";
  return text(expected.gain >= NOTICEABLE_GAIN ? "verdict.expected.gain" : "verdict.expected.little");
}

/** @param {Adapter} adapter @returns {number} in mean reciprocal rank, as the service's gate measures it; above 0: better */
export function gain({ leave_one_out: { before, after } }) {
  const difference = after.mrr - before.mrr;
  return Math.abs(difference) < 1e-9 ? 0 : difference;
}

/** @param {number} part in 0..1 @param {number} whole @returns {string} "3 of 5"; in per cent where that would not be a whole number */
export function share(part, whole) {
  const count = part * whole;
  return Math.abs(count - Math.round(count)) < 0.01 ? text("share", { part: Math.round(count), whole }) : text("percent", { count: Math.round(100 * part) });
}
