/**
 * The photos of the service in elements of the page. An `<img>` sends no key: where one is needed, the picture is fetched with
 * it and shown from memory, so that no address holds a secret and no cookie is needed.
 */

import { readPicture } from "../inkseek_client/call.js";
import { readKey } from "./key.js";
import { send } from "./request.js";
import { SERVICE, isOfApi } from "./root.js";

/** Some pages of results; the oldest are let go. */
const MOST_KEPT = 400;

/** @type {Map<string, Promise<string>>} the object URL of each fetched picture, by its address; the newest last */
const kept = new Map();
/** @type {WeakMap<HTMLImageElement, string>} what each image is to show by now */
const wanted = new WeakMap();

/** @param {string} address of a picture @returns {Promise<string>} an address that needs no key; rejects as `send` does */
export function pictureUrl(address) {
  if (readKey() === null || !isOfApi(address)) return Promise.resolve(address);
  const known = kept.get(address);
  if (known) return known;
  /** @type {import("../inkseek_client/call.js").Call<Blob>} */
  const call = { method: "GET", path: address.slice(SERVICE.length), read: readPicture, ofGallery: false };
  const fetched = send(call, { isPatient: true }).then((picture) => URL.createObjectURL(picture));
  kept.set(address, fetched);
  fetched.catch(() => kept.delete(address));
  letOldestGo();
  return fetched;
}

/** Shows a picture; one that does not come is an `error` of the image. @param {HTMLImageElement} image @param {string} address */
export function showPicture(image, address) {
  wanted.set(image, address);
  if (readKey() === null || !isOfApi(address)) {
    image.src = address; // at once: the browser loads and caches it best by itself
    return;
  }
  image.removeAttribute("src");
  pictureUrl(address).then(
    (url) => wanted.get(image) === address && (image.src = url),
    () => wanted.get(image) === address && image.dispatchEvent(new Event("error")),
  );
}

function letOldestGo() {
  if (kept.size <= MOST_KEPT) return;
  const [[address, oldest]] = kept;
  kept.delete(address);
  oldest.then(URL.revokeObjectURL, () => {});
}
