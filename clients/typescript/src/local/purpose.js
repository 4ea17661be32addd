/**
 * What a sketch is prepared for (the service's purpose.py).
 *
 * @typedef {"auto" | "true" | "false"} Frame   whether a drawing is cropped, centred and scaled as strokes are
 * @typedef {object} Purpose
 * @property {Frame} frame
 * @property {boolean} inDetail   photos of one category are told apart, which bold lines do better as they were drawn
 * @property {boolean} alone   photos show a thing alone, so that a small drawing means no small thing
 * @typedef {object} SearchedBy   of a search's parameters
 * @property {Frame} [frame]
 * @property {string | readonly string[]} [category]
 * @property {string | null} [focus]
 */

/** @type {Purpose} */
export const ANYWHERE = { frame: "auto", inDetail: false, alone: false };

/**
 * @param {SearchedBy} search
 * @param {{overall: boolean, exceptions: readonly string[]} | null} [alone] of the encoder's description
 * @returns {Purpose}
 */
export function purposeOf({ frame = "auto", category = [], focus }, alone) {
  const { overall, exceptions } = alone ?? { overall: false, exceptions: [] };
  const names = [...new Set([category].flat().map((name) => name.normalize("NFC")))];
  const inDetail = names.length === 1 && (focus ?? "detail") === "detail";
  return { frame, inDetail, alone: names.length ? names.every((name) => overall !== exceptions.includes(name)) : overall };
}
