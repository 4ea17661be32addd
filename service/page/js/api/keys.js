/**
 * The client of API keys, for those who may manage them.
 *
 * @typedef {import("../inkseek_client/schemas.js").Key} Key
 * @typedef {import("../inkseek_client/schemas.js").NewKey} NewKey
 * @typedef {import("../inkseek_client/schemas.js").MadeKey} MadeKey
 */

import * as calls from "../inkseek_client/calls/keys.js";
import { readKey } from "./key.js";
import { send } from "./request.js";

/** @returns {string} of the key that the page itself sends; "": it sends none */
export function ownKeyId() {
  return readKey()?.split("_")[1] ?? "";
}

export class Keys {
  /** @returns {Promise<Key[]>} in the order in which they were made */
  async list() {
    return (await send(calls.keys())).keys;
  }

  /** @param {NewKey} key @returns {Promise<MadeKey>} */
  async create(key) {
    return send(calls.create(key));
  }

  /** @param {string} keyId */
  async revoke(keyId) {
    return send(calls.revoke(keyId));
  }
}
