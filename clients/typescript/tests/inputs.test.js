import assert from "node:assert/strict";
import { test } from "node:test";

import { Client } from "../src/client.js";
import { SketchInvalid, TooLarge, UnexpectedAnswer } from "../src/errors.js";
import { sketchBody } from "../src/inputs.js";
import { batchesOf } from "../src/surface/many.js";
import { CATEGORIES, JOB, answered, problem, scripted } from "./fakes.js";

const URL = "http://inkseek.test";
const RIM = [[45, 80], [45, 32]];

async function textOf(body) {
  return new Response(body).text();
}

/** Fields of a form in their order, files as their text. */
async function fieldsOf(form) {
  return Promise.all([...form].map(async ([name, value]) => [name, typeof value === "string" ? value : await value.text()]));
}

function answerOf(...photoIds) {
  return { results: photoIds.map((photo_id, index) => ({ photo_id, rank: index + 1 })) };
}

test("a sketch is bytes, a picture, strokes, SVG or a body", async () => {
  const bytes = new TextEncoder().encode("picture");
  for (const sketch of [bytes, bytes.buffer, new DataView(bytes.buffer), new Blob([bytes])]) {
    const { body, contentType } = sketchBody(sketch);
    assert.deepEqual([await textOf(body), contentType], ["picture", "application/octet-stream"]);
  }
  assert.equal(sketchBody(new Blob([bytes], { type: "image/png" })).contentType, "image/png");
  assert.deepEqual(JSON.parse(sketchBody([RIM]).body), { strokes: [RIM] });
  assert.deepEqual(JSON.parse(sketchBody({ drawing: [RIM] }).body), { drawing: [RIM] });
  assert.deepEqual(sketchBody("\n<svg/>"), { body: "<svg/>", contentType: "image/svg+xml" });
  assert.deepEqual(sketchBody('{"strokes": []}'), { body: '{"strokes": []}', contentType: "application/json" });
  assert.throws(() => sketchBody("mug.png"), /bytes/);
});

test("a file of React Native goes into a form as it is", () => {
  const appended = [];
  const original = globalThis.FormData;
  // As React Native has it: of two arguments, and a file is an object that it reads while it sends.
  globalThis.FormData = class {
    append(...args) {
      appended.push(args);
    }
  };
  try {
    const file = { uri: "file:///sketch.jpg", name: "sketch.jpg", type: "image/jpeg" };
    const { body, contentType } = sketchBody(file);
    assert.ok(body instanceof globalThis.FormData);
    assert.equal(contentType, undefined);
    assert.deepEqual(appended, [["sketch", file]]);
    assert.equal(appended[0][1], file);
  } finally {
    globalThis.FormData = original;
  }
});

test("examples go in pairs, and photos without a drawing behind them", async () => {
  const { requests, fetch } = scripted(answered({ leave_one_out: {} }));
  const pairs = [[new Blob(["s1"]), "shoe/1.jpg"], [[RIM], new TextEncoder().encode("p2")]];
  await new Client(URL, { fetch }).adapt({ profile: "ada/b" }, pairs, { photos: ["shoe/3.jpg", new Blob(["p4"])], force: true });
  const [{ url, method, headers, body }] = requests;
  assert.deepEqual([method, url, headers], ["POST", `${URL}/v1/profiles/ada%2Fb/adapters?force=true`, {}]);
  assert.deepEqual(await fieldsOf(body), [
    ["sketch", "s1"], ["photo_id", "shoe/1.jpg"], ["sketch", JSON.stringify({ strokes: [RIM] })], ["photo", "p2"], ["photo_id", "shoe/3.jpg"], ["photo", "p4"],
  ]);
});

test("changes are items in their order, with a file for each upload", async () => {
  const { requests, fetch } = scripted(answered(JOB, 202));
  const changes = [{ photo_id: "a", category: "x" }, { photo_id: "b", file: new Blob(["jpeg"]), metadata: { price: 4 } }, { photo_id: "c", delete: true }];
  await new Client(URL, { fetch }).changePhotos(changes);
  const [[items, list], ...files] = await fieldsOf(requests[0].body);
  assert.equal(items, "items");
  assert.deepEqual(JSON.parse(list), [{ photo_id: "a", category: "x" }, { photo_id: "b", metadata: { price: 4 }, file: "file-1" }, { photo_id: "c", delete: true }]);
  assert.deepEqual(files, [["file-1", "jpeg"]]);
});

test("a description holds what is given alone", async () => {
  const { requests, fetch } = scripted(answered({ photo_id: "a" }));
  const client = new Client(URL, { fetch });
  await client.describePhoto("a", { category: "", timeoutMs: 9_000 });
  await client.putPhoto("a", new Blob(["jpeg"]), { metadata: { x: 1 }, signal: null });
  assert.equal(requests[0].body, '{"category":""}');
  assert.deepEqual(await fieldsOf(requests[1].body), [["photo", "jpeg"], ["metadata", '{"x":1}']]);
});

test("pages are followed as far as somebody reads", async () => {
  const pages = [{ ...answerOf("a", "b"), next_cursor: "1" }, { ...answerOf("c"), next_cursor: null }];
  const { requests, fetch } = scripted(...pages.map((page) => answered(page)));
  const client = new Client(URL, { fetch });
  const seen = [];
  for await (const hit of client.iterSearch(new Blob(["png"]), { page: 2, category: "shoe" })) seen.push([hit.photo_id, requests.length]);
  assert.deepEqual(seen, [["a", 1], ["b", 1], ["c", 2]]);
  assert.deepEqual(requests.map(({ url }) => url), [`${URL}/v1/search?category=shoe&k=2`, `${URL}/v1/search?category=shoe&k=2&cursor=1`]);
  const first = scripted(answered(pages[0]));
  for await (const hit of new Client(URL, first).iterSimilar("a")) {
    assert.equal(hit.photo_id, "a");
    break;
  }
  assert.equal(first.requests.length, 1);
});

test("batches keep order, number and bytes", async () => {
  const sizes = [100, 100, 5_000, 100, 100, 100];
  const sketches = sizes.map((size) => new Uint8Array(size));
  const cut = [];
  for await (const batch of batchesOf(sketches, 2, 4_000)) cut.push(batch);
  assert.deepEqual(cut.flat(), sketches);
  assert.deepEqual(cut.map((batch) => batch.length), [2, 1, 2, 1]);
  for await (const batch of batchesOf([], 2, 4_000)) assert.fail(String(batch));
});

test("many sketches are answered one by one, whatever becomes of the others", async () => {
  const info = { limits: { max_batch_items: 2, max_upload_bytes: 4_000 } };
  const empty = { error: { type: "", title: "T", status: 422, detail: "D", code: "sketch_empty" } };
  const full = { error: { type: "", title: "T", status: 503, detail: "D", code: "queue_full" } };
  const { requests, fetch } = scripted(
    answered(info), answered({ items: [answerOf("a"), empty] }), problem(413, "body_too_large"), answered({ items: [full] }), answered(answerOf("d")),
  );
  const sketches = [new Blob(["a"]), new Blob(["b"]), new Blob(["c".repeat(5_000)]), new Blob(["d"])];
  const [seen, counts] = [[], []];
  for await (const one of new Client(URL, { fetch }).searchMany(sketches, { k: 1, progress: (...count) => counts.push(count) })) seen.push(one);
  assert.deepEqual(seen.map(({ sketch }) => sketch), sketches);
  assert.equal(seen[0].answer.results[0].photo_id, "a");
  assert.throws(() => seen[1].answer, SketchInvalid);
  assert.ok(seen[2].outcome instanceof TooLarge);
  assert.equal(seen[3].answer.results[0].photo_id, "d"); // met a full queue, and was sent again alone
  assert.deepEqual(counts, [[2, 4], [3, 4], [4, 4]]);
  assert.equal(requests.length, 5);
});

test("sketches may come as they are read", async () => {
  const read = [];
  async function* files() {
    for (const name of ["a", "b", "c"]) {
      read.push(name);
      yield new Blob([name]);
    }
  }
  const info = answered({ limits: { max_batch_items: 1, max_upload_bytes: 4_000 } });
  const { fetch } = scripted(info, answered({ items: [answerOf("a")] }));
  const counts = [];
  for await (const _one of new Client(URL, { fetch }).searchMany(files(), { progress: (...count) => counts.push(count) })) {
    if (counts.length === 1) break;
  }
  assert.deepEqual([counts, read], [[[1, null]], ["a", "b", "c"]]);
});

test("a service that is none is found out before anything is sent to it", async () => {
  const { requests, fetch } = scripted(answered(CATEGORIES));
  const many = new Client(URL, { fetch }).searchMany([new Blob(["a"])]);
  await assert.rejects(many.next(), UnexpectedAnswer);
  assert.equal(requests.length, 1);
});
