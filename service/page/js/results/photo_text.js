/** A photo and its score in words for the user. */

import { inHundredths, text } from "../texts.js";

/** The ids of uploaded photos begin so; the rest of such an id says nothing to people. */
const UPLOADED = "online/";

/** @param {{photo_id: string, metadata?: Record<string, unknown>}} photo @returns {string} its name or title, else its file's name */
export function photoName({ photo_id, metadata = {} }) {
  for (const key of ["name", "title"]) {
    const value = metadata[key];
    if (typeof value === "string" && value) return value.replace(/\.$/, "");
  }
  if (photo_id.startsWith(UPLOADED)) return text("photo.own");
  return fileName(photo_id).replace(/\.[^.]+$/, "").replaceAll(/[_-]+/g, " ");
}

/** @param {string} photoId a path @returns {string} its last part */
export function fileName(photoId) {
  return photoId.slice(photoId.lastIndexOf("/") + 1);
}

/** @param {number | undefined} score within [-1, 1]; undefined: nothing was drawn to compare with @returns {string} */
export function scoreText(score) {
  return score === undefined ? "" : inHundredths(score);
}

/** @param {number | null | undefined} confidence within [0, 1] @returns {string | null} */
export function confidenceText(confidence) {
  return typeof confidence === "number" ? text("percent", { count: Math.round(100 * confidence) }) : null;
}
