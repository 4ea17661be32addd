/**
 * The client of what only who runs the service asks for.
 *
 * @typedef {import("../inkseek_client/schemas.js").Info} Info
 */

import * as operation from "../inkseek_client/calls/operation.js";
import * as photos from "../inkseek_client/calls/photos.js";
import { answeredUrl, send } from "./request.js";

export class Service {
  /** @returns {Promise<string>} Prometheus's text exposition */
  async metrics() {
    return send(operation.metrics(), { isPatient: true });
  }

  /** @returns {Promise<Info>} what is served, and what the user's key may do */
  async info() {
    return send(operation.info());
  }

  /** Brings the index up to date with the gallery's folder and what changed online, as a job. */
  async rebuild() {
    return send(operation.rebuild());
  }

  /** @param {number} limit @returns {Promise<{photo_id: string, thumbnail_url: string}[]>} the first photos of the gallery */
  async firstPhotos(limit) {
    const { photos: listed } = await send(photos.list({ limit }));
    return listed.map(({ photo_id = "", thumbnail_url: url }) => ({ photo_id: photo_id ?? "", thumbnail_url: answeredUrl(url ?? "") }));
  }
}
