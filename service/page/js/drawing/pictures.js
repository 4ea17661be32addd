/** Pictures that come by choice, drop or paste: made small enough to keep, and into marks of a drawing. */

import { context2d } from "../element.js";
import { text } from "../texts.js";

/** Larger than what is sent, so that nothing is lost; small enough for the session's storage. */
const KEPT_PX = 768;
/** A photo that joins the gallery is looked at in full; dozens of them still fit one request. */
const PHOTO_PX = 1280;
const PHOTO_BYTES = 2 ** 18;
const SENT_AS_IT_IS = new Set(["image/jpeg", "image/png", "image/webp"]);
const MAX_FILE_BYTES = 50 * 2 ** 20;

/** The picture cannot be used; the message says why, in words for the user. */
export class PictureError extends Error {}

/**
 * @param {Blob} file of any format that the browser reads
 * @returns {Promise<import("./drawing.js").Picture>}
 * @throws {PictureError}
 */
export async function readPicture(file) {
  check(file);
  const url = URL.createObjectURL(file);
  try {
    const original = await decode(url);
    const src = shrink(original, KEPT_PX).toDataURL("image/jpeg", 0.92);
    return { kind: "image", src, image: await decode(src) };
  } finally {
    URL.revokeObjectURL(url);
  }
}

/**
 * A photo to send to the gallery: as it is when it is small, else made smaller.
 * @param {File} file
 * @returns {Promise<File>}
 * @throws {PictureError}
 */
export async function readPhoto(file) {
  check(file);
  const url = URL.createObjectURL(file);
  try {
    const original = await decode(url);
    if (SENT_AS_IT_IS.has(file.type) && file.size <= PHOTO_BYTES) return file;
    /** @type {Blob | null} */
    const jpeg = await new Promise((resolve) => shrink(original, PHOTO_PX).toBlob(resolve, "image/jpeg", 0.9));
    if (!jpeg) throw new PictureError(text("picture.too_detailed"));
    return new File([jpeg], `${file.name.replace(/\.[^.]+$/, "")}.jpg`, { type: jpeg.type });
  } finally {
    URL.revokeObjectURL(url);
  }
}

/** @param {Blob} file @throws {PictureError} */
function check(file) {
  if (!file.type.startsWith("image/")) throw new PictureError(text("picture.none"));
  if (file.size > MAX_FILE_BYTES) throw new PictureError(text("picture.too_large"));
}

/**
 * @param {string} src
 * @returns {Promise<HTMLImageElement>}
 * @throws {PictureError}
 */
export async function decode(src) {
  const image = new Image();
  image.src = src;
  try {
    await image.decode();
  } catch {
    throw new PictureError(text("picture.unreadable"));
  }
  return image;
}

/** @param {DataTransfer | null} transfer of a drop or a paste @returns {File | undefined} its first file, images first */
export function fileIn(transfer) {
  const files = [...(transfer?.files ?? [])];
  return files.find((file) => file.type.startsWith("image/")) ?? files[0];
}

/** @param {HTMLImageElement} image @param {number} side_px at most @returns {HTMLCanvasElement} over white: transparent paper is white paper */
function shrink(image, side_px) {
  // An SVG without a size of its own has none here either.
  const width = image.naturalWidth || side_px;
  const height = image.naturalHeight || side_px;
  const scale = Math.min(1, side_px / Math.max(width, height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  const context = context2d(canvas);
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingQuality = "high";
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  return canvas;
}
