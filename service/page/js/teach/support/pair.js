/**
 * A pair of the support set: a photo, and mostly a drawing of it. A drawing has one right photo; a photo may have several
 * drawings.
 *
 * @typedef {{key: string, drawing: import("../../drawing/drawing.js").Drawing, png: Blob, url: string}} Sketch   a drawing as
 *   it was; key: equal for equal drawings
 * @typedef {{photo_id: string | null, file: File | null, name: string, category: string | null, url: string}} PairPhoto
 *   a photo of the gallery (photo_id) or an own one (file), which has a photo_id too once it was uploaded
 * @typedef {{id: number, sketch: Sketch | null, photo: PairPhoto}} Pair   sketch null: nobody drew that photo yet
 */

import { toPng } from "../../drawing/export.js";
import { photoName } from "../../results/photo_text.js";
import { serialise } from "../../session.js";

/** @param {import("../../drawing/drawing.js").Drawing} drawing @returns {string} equal for equal drawings, also after a reload */
export function drawingKey(drawing) {
  return serialise(drawing);
}

/** @param {import("../../drawing/drawing.js").Drawing} drawing @returns {Promise<Sketch>} what a search for it would send */
export async function sketchOf(drawing) {
  const png = await toPng(drawing);
  return { key: drawingKey(drawing), drawing, png, url: URL.createObjectURL(png) };
}

/** @param {import("../../api/client.js").Hit} hit @returns {PairPhoto} */
export function galleryPhoto(hit) {
  return { photo_id: hit.photo_id, file: null, name: photoName(hit), category: hit.category, url: hit.thumbnail_url };
}

/** @param {File} file @returns {PairPhoto} */
export function ownPhoto(file) {
  return { photo_id: null, file, name: photoName({ photo_id: file.name }), category: null, url: URL.createObjectURL(file) };
}
