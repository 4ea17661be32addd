/**
 * Sketches encoded on this device, so that no drawing leaves it: `@inkseek/client/local`.
 *
 *     import * as ort from "onnxruntime-web/wasm";
 *     const local = new LocalSearch(new Client("https://sketch.example.com"), ort);
 *     const answer = await local.search(context.getImageData(0, 0, 256, 256), { k: 12 });
 */

export * from "./entry.js";
export type { Ort, OrtSession, OrtTensor } from "./encoder.js";
export type { LocalHit } from "./gallery.js";
export type { EncoderInput, LocalSketch, Pixels } from "./preprocess.js";
export type { Stroke, StrokeStyle } from "./drawing/strokes.js";
export type { Frame, Purpose, SearchedBy } from "./purpose.js";
export type { Embedding } from "../calls/search.js";
