/**
 * Prepares and encodes the sketches of a file, for a comparison with the service's own code.
 *
 *     node local_compare.js CASES DESCRIPTION MODEL
 *
 * CASES has a JSON document a line: RGBA or strokes, and whether to encode. Printed is one a line: the view's levels, or the
 * name of the error, and the embedding, all in base64.
 */

import { readFileSync } from "node:fs";

import * as ort from "onnxruntime-web/wasm";

import { LocalEncoder, view } from "../src/local/entry.js";

const [, , cases, description, model] = process.argv;
ort.env.wasm.numThreads = 1;
const encoder = await LocalEncoder.open(ort, JSON.parse(readFileSync(description, "utf8")), new Uint8Array(readFileSync(model)));

for (const line of readFileSync(cases, "utf8").trim().split("\n")) {
  const { width, height, rgba, strokes, purpose, encode } = JSON.parse(line);
  const sketch = strokes ?? { width, height, data: new Uint8Array(Buffer.from(rgba, "base64")) };
  try {
    const seen = base64(view(sketch, encoder.description, purpose).data);
    const embedding = encode ? await encoder.encode(sketch, { mirrored: Boolean(strokes) }) : null;
    console.log(JSON.stringify({ seen, ...(embedding && { vector: base64(embedding.vector), ...(embedding.mirrored && { mirrored: base64(embedding.mirrored) }) }) }));
  } catch (error) {
    console.log(JSON.stringify({ error: error.name }));
  }
}

function base64({ buffer, byteOffset, byteLength }) {
  return Buffer.from(buffer, byteOffset, byteLength).toString("base64");
}
