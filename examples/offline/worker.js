/**
 * Encodes and searches beside the page, so that drawing never waits.
 *
 * Messages in: {id, sketch, k}. Out: {ready: photos} or {failed: message} once, then for each {id, hits, encodeMs, searchMs}, or
 * {id, code, error} for a sketch that is no drawing.
 */

import * as ort from "./runtime.js";
import { LocalEncoder } from "./client/local/encoder.js";
import { LocalGallery } from "./client/local/gallery.js";

// One thread: several need headers that few static servers send.
ort.env.wasm.numThreads = 1;

const loaded = load();
loaded.then(({ gallery }) => postMessage({ ready: gallery.length }), (error) => postMessage({ failed: String(error) }));

addEventListener("message", async ({ data: { id, sketch, k } }) => {
  try {
    const { encoder, gallery } = await loaded;
    const began = performance.now();
    const embedding = await encoder.encode(sketch, { mirrored: encoder.description.mirrored_helps });
    const encoded = performance.now();
    const hits = gallery.search(embedding, k);
    postMessage({ id, hits, encodeMs: encoded - began, searchMs: performance.now() - encoded });
  } catch (error) {
    postMessage({ id, code: error.code ?? "failed", error: error.message });
  }
});

async function load() {
  const [{ encoder: description }, vectors, model, wasm] = await Promise.all([
    fetched("gallery.json").then((answer) => answer.json()),
    fetched("vectors.bin").then((answer) => answer.arrayBuffer()),
    unpacked("encoder.onnx.packed"),
    unpacked("runtime.wasm.packed"),
  ]);
  ort.env.wasm.wasmBinary = wasm;
  const encoder = await LocalEncoder.open(ort, description, new Uint8Array(model));
  return { encoder, gallery: new LocalGallery(description.bundle_id, new Uint8Array(vectors), description.embedding_dim) };
}

/** @param {string} name @returns {Promise<Response>} */
async function fetched(name) {
  const answer = await fetch(name);
  if (!answer.ok) throw new Error(`${name}: ${answer.status}`);
  return answer;
}

/** @param {string} name @returns {Promise<ArrayBuffer>} */
async function unpacked(name) {
  const { body } = await fetched(name);
  return new Response(body.pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
}
