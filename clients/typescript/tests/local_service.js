/** Searches the service at the URL of the first argument with strokes, as they are and encoded here, and prints what each way finds. */

import * as ort from "onnxruntime-web/wasm";

import { Client } from "../src/client.js";
import { LocalSearch } from "../src/local/entry.js";

ort.env.wasm.numThreads = 1;
const strokes = [[[48, 20], [218, 236]], [[236, 80], [20, 236]], [[30, 120], [120, 30], [200, 128]]];
const client = new Client(process.argv[2]);
const local = await new LocalSearch(client, ort).search(strokes, { k: 15, mirror: "true" });
const sent = await client.search({ strokes: strokes.map((points) => ({ points: points.map(([x, y]) => ({ x, y })) })) }, { k: 15, mirror: "true" });
const ids = ({ results }) => results.map(({ photo_id: id }) => id);
const scores = ({ results }) => results.map(({ score }) => score);
console.log(JSON.stringify({ local: ids(local), sent: ids(sent), local_scores: scores(local), sent_scores: scores(sent) }));
