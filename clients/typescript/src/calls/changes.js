/**
 * Calls that change photos, one by one and in bulk.
 *
 * @import { Call } from "../call.js"
 * @import { Change, Field, FileInput } from "../inputs.js"
 * @import { Job, Photo } from "../schemas.js"
 * @typedef {{category?: string, metadata?: Record<string, unknown>}} Description   what is to be said of a photo: without
 *   `category`, an upload takes the first part of its id and a change leaves it; null as a value of metadata takes a field away
 */

import { jsonWith, pathOfPhoto, readNothing } from "../call.js";
import { formOf } from "../inputs.js";

/** @param {string} photoId @param {FileInput} file @param {Description} [description] @returns {Call<Photo>} */
export function put(photoId, file, { category, metadata } = {}) {
  /** @type {Field[]} */
  const fields = [["photo", file]];
  if (category !== undefined) fields.push(["category", category]);
  if (metadata !== undefined) fields.push(["metadata", JSON.stringify(metadata)]);
  return { method: "PUT", path: pathOfPhoto(photoId), body: formOf(fields), read: jsonWith("photo_id"), slow: true };
}

/** @param {string} photoId @param {Description} description @returns {Call<Photo>} */
export function describe(photoId, { category, metadata }) {
  const body = JSON.stringify({ category, metadata });
  return { method: "PATCH", path: pathOfPhoto(photoId), body, contentType: "application/merge-patch+json", read: jsonWith("photo_id") };
}

/** @param {string} photoId @returns {Call<void>} */
export function remove(photoId) {
  return { method: "DELETE", path: pathOfPhoto(photoId), read: readNothing };
}

/** @param {Iterable<Change>} changes @returns {Call<Job>} */
export function change(changes) {
  /** @type {Field[]} */
  const files = [];
  const items = [...changes].map(({ file, ...item }, number) => {
    if (file === undefined) return item;
    files.push([`file-${number}`, file]);
    return { ...item, file: `file-${number}` };
  });
  const body = formOf([["items", JSON.stringify(items)], ...files]);
  return { method: "POST", path: "/v1/photos:batch", body, read: jsonWith("job_id"), idempotent: false, slow: true };
}
