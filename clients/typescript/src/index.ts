/**
 * Client of Inkseek.
 *
 *     const client = new Client("http://127.0.0.1:8000");
 *     for (const hit of (await client.search(drawing, { k: 5 })).results) console.log(hit.rank, hit.score, hit.photo_id);
 */

export { Client } from "./client.js";
export * from "./errors.js";
export type { Embedding } from "./calls/search.js";
export type { ManyOptions, SketchAnswer } from "./surface/many.js";
export type { Change, FileInput, NativeFile, Pair, PhotoReference, Sketch, Strokes, Target } from "./inputs.js";
export type { Retries } from "./retries.js";
export type { ClientOptions } from "./retrying_sender.js";
export type { SenderOptions, SendOptions } from "./sender.js";
export type * from "./schemas.js";
