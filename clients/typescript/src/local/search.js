/**
 * Searching a service with sketches that are encoded here: what is sent is two thousand bytes, and no drawing.
 *
 * @import { Client } from "../client.js"
 * @import { Embedding } from "../calls/search.js"
 * @import { SearchAnswer, VectorParameters } from "../schemas.js"
 * @import { SendOptions } from "../sender.js"
 * @import { Ort } from "./encoder.js"
 * @import { LocalSketch } from "./preprocess.js"
 * @import { Frame } from "./purpose.js"
 * @typedef {object} LocalOptions
 * @property {any} [session]   options of ONNX Runtime's session
 */

import { ServiceProblem } from "../errors.js";
import { LocalEncoder } from "./encoder.js";
import { EncoderUnusable } from "./errors.js";

export class LocalSearch {
  /** @type {Promise<LocalEncoder> | null} */
  #encoder = null;

  /** @param {Client} client @param {Ort} ort @param {LocalOptions} [options] */
  constructor(client, ort, options = {}) {
    this.client = client;
    this.ort = ort;
    this.options = options;
  }

  /** @returns {Promise<LocalEncoder>} fetched once; throws EncoderUnusable where the service does not give it away */
  encoder() {
    this.#encoder ??= this.#fetched().catch((error) => {
      this.#encoder = null; // the next search tries again
      throw error;
    });
    return this.#encoder;
  }

  /**
   * @param {LocalSketch} sketch
   * @param {VectorParameters & SendOptions & {frame?: Frame}} [options] as those of `client.search`
   * @returns {Promise<SearchAnswer>} throws SketchError for what is no drawing
   */
  async search(sketch, { frame = "auto", ...options } = {}) {
    try {
      return await this.client.searchVector(await this.#encoded(sketch, frame, options), options);
    } catch (error) {
      if (!(error instanceof ServiceProblem) || error.code !== "encoder_differs") throw error;
      // Another bundle has come into service: its encoder is fetched, once.
      this.#encoder = null;
      return this.client.searchVector(await this.#encoded(sketch, frame, options), options);
    }
  }

  /** @param {LocalSketch} sketch @param {Frame} frame @param {VectorParameters} parameters @returns {Promise<Embedding>} */
  async #encoded(sketch, frame, { category, focus, mirror }) {
    const encoder = await this.encoder();
    const mirrored = mirror === "true" || (mirror !== "false" && encoder.description.mirrored_helps);
    return encoder.encode(sketch, { frame, category, focus, mirrored });
  }

  /** @returns {Promise<LocalEncoder>} */
  async #fetched() {
    const description = await this.client.encoder();
    if (!description.url) throw new EncoderUnusable("the service does not give its encoder away: search with the sketch itself");
    const file = await this.client.encoderFile(description.bundle_id);
    return LocalEncoder.open(this.ort, description, new Uint8Array(await file.arrayBuffer()), this.options.session);
  }
}
