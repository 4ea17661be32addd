/**
 * Calls that list and show photos, categories and galleries.
 *
 * @import { Call } from "../call.js"
 * @import { Categories, Galleries, ListingParameters, Photo, Photos } from "../schemas.js"
 */

import { jsonWith, pathOfPhoto, queryOf, readPicture } from "../call.js";

/** @param {ListingParameters} [parameters] @returns {Call<Photos>} */
export function list(parameters = {}) {
  return { method: "GET", path: "/v1/photos", query: queryOf(parameters), read: jsonWith("photos") };
}

/** @param {string} photoId @returns {Call<Photo>} */
export function record(photoId) {
  return { method: "GET", path: pathOfPhoto(photoId), query: "view=record", read: jsonWith("photo_id") };
}

/** @param {string} photoId @param {"thumbnail" | "image"} view @returns {Call<Blob>} */
export function picture(photoId, view) {
  return { method: "GET", path: pathOfPhoto(photoId), query: queryOf({ view }), read: readPicture };
}

/** @returns {Call<Categories>} */
export function categories() {
  return { method: "GET", path: "/v1/categories", read: jsonWith("categories") };
}

/** @returns {Call<Galleries>} */
export function galleries() {
  return { method: "GET", path: "/v1/galleries", read: jsonWith("galleries"), ofGallery: false };
}
