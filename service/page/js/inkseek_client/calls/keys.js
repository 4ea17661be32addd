/**
 * Calls about API keys.
 *
 * @import { Call } from "../call.js"
 * @import { Keys, MadeKey, NewKey } from "../schemas.js"
 */

import { jsonWith, readNothing } from "../call.js";

/** @returns {Call<Keys>} */
export function keys() {
  return { method: "GET", path: "/v1/keys", read: jsonWith("keys"), ofGallery: false };
}

/** @param {NewKey} key @returns {Call<MadeKey>} */
export function create(key) {
  const body = JSON.stringify(key);
  return { method: "POST", path: "/v1/keys", body, contentType: "application/json", read: jsonWith("key"), idempotent: false, ofGallery: false };
}

/** @param {string} keyId @returns {Call<void>} */
export function revoke(keyId) {
  return { method: "DELETE", path: `/v1/keys/${encodeURIComponent(keyId)}`, read: readNothing, ofGallery: false };
}
