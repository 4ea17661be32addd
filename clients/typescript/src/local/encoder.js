/**
 * The sketch encoder on this device: what the service's `/v1/encoder` describes, run by ONNX Runtime.
 *
 * @import { Embedding } from "../calls/search.js"
 * @import { EncoderDescription } from "../schemas.js"
 * @import { Plane } from "./pixels/plane.js"
 * @import { SearchedBy } from "./purpose.js"
 * @import { LocalSketch } from "./preprocess.js"
 * @typedef {{readonly data: unknown, readonly dims: readonly number[]}} OrtTensor
 * @typedef {object} OrtSession
 * @property {(feeds: any) => Promise<any>} run
 * @property {() => Promise<void>} [release]
 * @typedef {object} Ort   `onnxruntime-web`, `onnxruntime-node` or `onnxruntime-react-native`, whichever the application brings
 * @property {{create(model: Uint8Array, options?: any): Promise<OrtSession>}} InferenceSession
 * @property {new (type: "float32", data: Float32Array, dims: readonly number[]) => OrtTensor} Tensor
 */

import { EncoderUnusable } from "./errors.js";
import { mirrored, tensor, view } from "./preprocess.js";
import { purposeOf } from "./purpose.js";

export class LocalEncoder {
  /** @type {Ort} */
  #ort;
  /** @type {OrtSession} */
  #session;

  /** @param {Ort} ort @param {OrtSession} session @param {EncoderDescription} description */
  constructor(ort, session, description) {
    this.#ort = ort;
    this.#session = session;
    /** What it was made by; its `bundle_id` goes with every embedding. */
    this.description = description;
  }

  /**
   * @param {Ort} ort
   * @param {EncoderDescription} description as `client.encoder()` answers
   * @param {Uint8Array<ArrayBuffer>} model the file that it names, ONNX
   * @param {any} [options] of ONNX Runtime's session
   * @returns {Promise<LocalEncoder>} throws EncoderUnusable where the file is another one, or does not open
   */
  static async open(ort, description, model, options) {
    if (model.byteLength !== description.bytes || ((await sha256Of(model)) ?? description.sha256) !== description.sha256) {
      throw new EncoderUnusable(`the file is not the encoder of ${description.bundle_id}: it has another hash or length`);
    }
    let session;
    try {
      session = await ort.InferenceSession.create(model, options);
    } catch (error) {
      throw new EncoderUnusable(`the encoder of ${description.bundle_id} does not open: ${error}`, { cause: error });
    }
    return new LocalEncoder(ort, session, description);
  }

  /**
   * @param {LocalSketch} sketch strokes (lists of [x, y]), or pixels such as a canvas' ImageData
   * @param {SearchedBy & {mirrored?: boolean}} [options] of the search that it is for; mirrored: encode the mirrored drawing as well, in
   *   the same call
   * @returns {Promise<Embedding>} for `client.searchVector`; throws SketchError
   */
  async encode(sketch, { mirrored: both = false, ...search } = {}) {
    const seen = view(sketch, this.description, purposeOf(search, this.description.alone));
    const [vector, other] = await this.#encoded(both ? [seen, mirrored(seen)] : [seen]);
    return { bundle: this.description.bundle_id, vector, ...(other && { mirrored: other }) };
  }

  /** Frees what ONNX Runtime holds. @returns {Promise<void>} */
  async close() {
    await this.#session.release?.();
  }

  /** @param {readonly Plane[]} views @returns {Promise<[Float32Array, Float32Array | undefined]>} */
  async #encoded(views) {
    const { input, output, embedding_dim: length } = this.description;
    const batch = new Float32Array(views.length * 3 * input.size_px ** 2);
    views.forEach((seen, n) => batch.set(tensor(seen, input), (n * batch.length) / views.length));
    const fed = new this.#ort.Tensor("float32", batch, [views.length, 3, input.size_px, input.size_px]);
    const { [output]: answered } = await this.#session.run({ [input.name]: fed });
    const numbers = /** @type {Float32Array} */ (answered.data);
    return [numbers.slice(0, length), views.length > 1 ? numbers.slice(length, 2 * length) : undefined];
  }
}

/** @param {Uint8Array<ArrayBuffer>} bytes @returns {Promise<string | null>} null where the page has no secure context to compute it in */
async function sha256Of(bytes) {
  const subtle = globalThis.crypto?.subtle;
  if (!subtle) return null;
  return [...new Uint8Array(await subtle.digest("SHA-256", bytes))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
