import assert from "node:assert/strict";
import { test } from "node:test";

import { Conflict, NotFound } from "../src/errors.js";
import { toHalf } from "../src/calls/half.js";
import { EncoderUnusable, LocalEncoder, LocalGallery, LocalSearch, SketchEmpty, SketchSolid, StrokesInvalid, purposeOf, view } from "../src/local/entry.js";

const INPUT = { name: "image", size_px: 48, mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25], min_extent: 0.2, target_extent: 0.8 };
const STROKES = { canvas_px: 256, line_px: 2.5, margin: 0.08 };
const CROSS = [[[0, 0], [10, 12]], [[10, 0], [0, 12]]];

/** ONNX Runtime with a model that answers the sums of the left and of the right half. */
function fakeOrt() {
  const opened = [];
  const Tensor = class {
    constructor(type, data, dims) {
      Object.assign(this, { type, data, dims });
    }
  };
  const create = async (model) => {
    opened.push(model);
    if (model[0] === 99) throw new Error("no protobuf");
    return { run: async ({ image }) => ({ embedding: { data: halves(image), dims: [image.dims[0], 2] } }) };
  };
  return { ort: { Tensor, InferenceSession: { create } }, opened };
}

function halves({ data, dims: [count, channels, side] }) {
  const out = new Float32Array(2 * count);
  data.forEach((value, at) => {
    out[2 * Math.floor(at / (channels * side * side)) + (at % side < side / 2 ? 0 : 1)] += value;
  });
  return out;
}

async function described(model, bundle_id = "b-1") {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", model));
  const sha256 = [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return { bundle_id, embedding_dim: 2, input: INPUT, output: "embedding", strokes: STROKES, mirrored_helps: false, url: "/x", bytes: model.length, sha256 };
}

test("the mirrored drawing is encoded in the same call, with left and right exchanged", async () => {
  const model = new Uint8Array([1]);
  const encoder = await LocalEncoder.open(fakeOrt().ort, await described(model), model);
  const { bundle, vector, mirrored } = await encoder.encode([[[0, 0], [0, 9], [4, 9]]], { mirrored: true });
  assert.equal(bundle, "b-1");
  assert.notEqual(vector[0], vector[1]);
  assert.ok(Math.abs(vector[0] - mirrored[1]) < 1e-2 && Math.abs(vector[1] - mirrored[0]) < 1e-2);
  assert.equal((await encoder.encode(CROSS)).mirrored, undefined);
});

test("a file that is another one is not opened, and one that does not open says so", async () => {
  const { ort, opened } = fakeOrt();
  const model = new Uint8Array([1, 2]);
  await assert.rejects(LocalEncoder.open(ort, await described(model), new Uint8Array([1, 3])), EncoderUnusable);
  await assert.rejects(LocalEncoder.open(ort, await described(model), new Uint8Array([1])), EncoderUnusable);
  assert.equal(opened.length, 0);
  const broken = new Uint8Array([99]);
  await assert.rejects(LocalEncoder.open(ort, await described(broken), broken), /does not open: Error: no protobuf/);
});

test("what is no drawing is said with the service's codes", () => {
  const blank = { width: 64, height: 64, data: new Uint8Array(4 * 64 * 64).fill(255) };
  const dark = { width: 64, height: 64, data: blank.data.map((_, at) => (at % 4 === 3 ? 255 : 0)) };
  const seen = (sketch) => () => view(sketch, { input: INPUT, strokes: STROKES });
  assert.throws(seen(blank), SketchEmpty);
  assert.throws(seen(dark), SketchSolid);
  for (const strokes of [[], [[]], [[[0, NaN]]], [[[0, 2e9]]], [Array.from({ length: 50_001 }, () => [0, 0])]]) {
    assert.throws(seen(strokes), StrokesInvalid);
    assert.throws(seen(strokes), { code: "strokes_invalid" });
  }
  assert.throws(seen([Array.from({ length: 9000 }, (_, n) => [n % 2, n % 2])]), StrokesInvalid);
  assert.deepEqual(seen([[{ x: 0, y: 0 }, { x: 3, y: 4 }]])(), seen([[[0, 0], [3, 4]]])());
});

/** A client whose service changes its bundle when told to. */
async function fakeClient() {
  const models = { "b-1": new Uint8Array([1]), "b-2": new Uint8Array([2]) };
  const service = { bundle: "b-1", url: "/x", helps: false, fetched: [], searched: [] };
  const problem = (Kind, code, status) => new Kind({ type: "", title: code, status, detail: code, code });
  const client = {
    encoder: async () => ({ ...(await described(models[service.bundle], service.bundle)), url: service.url, mirrored_helps: service.helps }),
    encoderFile: async (id) => {
      if (service.fails) throw problem(NotFound, "encoder_withheld", 404);
      service.fetched.push(id);
      return new Blob([models[id]]);
    },
    searchVector: async (embedding, options) => {
      service.searched.push({ ...embedding, options });
      if (embedding.bundle !== service.bundle) throw problem(Conflict, "encoder_differs", 409);
      return { results: [] };
    },
  };
  return { service, client };
}

test("the encoder is fetched once, and again when another bundle has come into service", async () => {
  const { service, client } = await fakeClient();
  const local = new LocalSearch(client, fakeOrt().ort);
  await Promise.all([local.search(CROSS, { k: 3 }), local.search(CROSS, { k: 4 })]);
  assert.deepEqual(service.fetched, ["b-1"]);
  assert.deepEqual(service.searched.map(({ options }) => options), [{ k: 3 }, { k: 4 }]);
  service.bundle = "b-2";
  await local.search(CROSS);
  assert.deepEqual(service.fetched, ["b-1", "b-2"]);
  assert.deepEqual(service.searched.slice(2).map(({ bundle }) => bundle), ["b-1", "b-2"]);
});

test("a failed fetch is tried again, and an encoder that is not given away is said", async () => {
  const { service, client } = await fakeClient();
  const local = new LocalSearch(client, fakeOrt().ort);
  service.fails = true;
  await assert.rejects(local.search(CROSS), NotFound);
  service.fails = false;
  await local.search(CROSS);
  service.url = null;
  await assert.rejects(new LocalSearch(client, fakeOrt().ort).search(CROSS), EncoderUnusable);
});

test("the mirrored drawing is sent where it helps or is asked for, and never where it is not wanted", async () => {
  const { service, client } = await fakeClient();
  const local = new LocalSearch(client, fakeOrt().ort);
  await local.search(CROSS);
  await local.search(CROSS, { mirror: "true" });
  service.helps = true;
  const other = new LocalSearch(client, fakeOrt().ort);
  await other.search(CROSS);
  await other.search(CROSS, { mirror: "false" });
  assert.deepEqual(service.searched.map(({ mirrored }) => Boolean(mirrored)), [false, true, true, false]);
});

test("within one category, by detail, bold lines are encoded as they were drawn", async () => {
  const { service, client } = await fakeClient();
  const local = new LocalSearch(client, fakeOrt().ort);
  const bold = { width: 256, height: 256, data: new Uint8Array(4 * 256 * 256).fill(255) };
  for (let y = 40; y < 216; y++) for (let x = 100; x < 112; x++) bold.data.fill(0, 4 * (256 * y + x), 4 * (256 * y + x) + 3);
  const narrowings = [{}, { focus: "detail" }, { category: ["mug", "cup"] }, { category: ["mug"], focus: "kind" }];
  const within = [{ category: ["mug"] }, { category: "mug" }, { category: ["mug", "mug"], focus: "detail" }, { category: ["mug"], focus: null }];
  for (const narrowing of [...narrowings, ...within]) await local.search(bold, narrowing);
  const ink = service.searched.map(({ vector: [left, right] }) => left + right);
  const [redrawn, kept] = [ink.slice(0, narrowings.length), ink.slice(narrowings.length)];
  assert.ok(redrawn.every((one) => one === redrawn[0]) && kept.every((one) => one === kept[0]));
  assert.ok(kept[0] < redrawn[0]); // more ink
});

test("a drawing is framed where the photos that are searched show things alone", async () => {
  const scenes = { overall: true, exceptions: ["harbour"] };
  const products = { overall: false, exceptions: ["shoe"] };
  for (const [search, of, expected] of [
    [{}, scenes, true], [{}, products, false], [{}, null, false], [{ category: "shoe" }, null, false],
    [{ category: ["harbour"] }, scenes, false], [{ category: "mug" }, scenes, true], [{ category: ["mug", "harbour"] }, scenes, false],
    [{ category: "shoe" }, products, true], [{ category: ["shoe", "mug"] }, products, false],
  ]) {
    assert.equal(purposeOf(search, of).alone, expected, JSON.stringify([search, of]));
  }
  const small = { width: 200, height: 200, data: new Uint8Array(4 * 200 * 200).fill(255) };
  for (let y = 60; y < 140; y++) for (let x = 90; x < 94; x++) small.data.fill(0, 4 * (200 * y + x), 4 * (200 * y + x) + 3);
  const ink = (purpose) => view(small, { input: INPUT, strokes: STROKES }, purpose).data.reduce((sum, level) => sum + 255 - level, 0);
  assert.ok(ink(purposeOf({}, scenes)) > 1.5 * ink(purposeOf({}, products)));
});

test("a gallery answers the best rows by their products, ties by row, either way round", () => {
  const rows = [[1, 0], [0.6, 0.8], [0.6, 0.8], [0, -1], [-0.6, 0.8]];
  const gallery = new LocalGallery("b-1", toHalf(rows.flat()), 2);
  assert.equal(gallery.length, 5);
  const [vector, mirrored] = [[0.8, 0.6], [-0.8, 0.6]];
  const score = ([x, y], [a, b]) => x * a + y * b;
  const expected = (others) =>
    rows
      .map((row, n) => ({ row: n, score: Math.max(...[vector, ...others].map((one) => score(row, one))) }))
      .sort((a, b) => b.score - a.score || a.row - b.row);
  for (const others of [[], [mirrored]]) {
    const hits = gallery.search({ bundle: "b-1", vector, ...(others[0] && { mirrored: others[0] }) }, 4);
    assert.deepEqual(hits.map(({ row }) => row), expected(others).slice(0, 4).map(({ row }) => row));
    hits.forEach((hit, n) => assert.ok(Math.abs(hit.score - expected(others)[n].score) < 1e-3));
  }
  assert.deepEqual(gallery.search({ bundle: "b-1", vector, mirrored }, 1).map(({ mirrored: flipped }) => flipped), [false]);
  assert.equal(gallery.search({ bundle: "b-1", vector, mirrored }, 5).find(({ row }) => row === 4)?.mirrored, true);
  assert.throws(() => gallery.search({ bundle: "b-2", vector }, 1), RangeError);
  assert.throws(() => new LocalGallery("b-1", new Uint8Array(6), 2), RangeError);
});
