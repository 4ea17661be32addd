/** The packed client with a real service at INKSEEK_URL, whose gallery has drawings of boxes, crosses and waves; SKETCHES is a folder of them. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

import { Client, Conflict, CursorStale, NotFound, RequestInvalid, SketchInvalid, TooLarge } from "@inkseek/client";

const { INKSEEK_URL: url, SKETCHES: sketches } = process.env;
const client = new Client(url);
const CATEGORIES = ["box", "cross", "wave form"];
const PHOTOS = CATEGORIES.flatMap((category) => [0, 1, 2, 3, 4].map((number) => `${category}/${number}.png`));
const POLL = { pollMs: 50, timeoutMs: 120_000 };
const [box0, box2, cross1, cross2] = await Promise.all(["box/0", "box/2", "cross/1", "cross/2"].map((name) => readFile(`${sketches}/${name}.png`)));

async function all(items) {
  const found = [];
  for await (const item of items) found.push(item);
  return found;
}

async function startOf(blob) {
  return Buffer.from(await blob.arrayBuffer()).subarray(0, 4).toString("latin1");
}

test("search takes bytes, blobs, strokes and SVG", async () => {
  for (const sketch of [cross2, new Blob([cross2]), new Blob([cross2], { type: "image/png" }), cross2.buffer.slice(cross2.byteOffset, cross2.byteOffset + cross2.length)]) {
    const { results } = await client.search(sketch, { k: 5 });
    assert.deepEqual([results.length, results[0].photo_id, results.map(({ rank }) => rank)], [5, "cross/2.png", [1, 2, 3, 4, 5]]);
  }
  const strokes = [[[20, 90, 160, 236], [20, 90, 160, 236]], [[236, 160, 90, 20], [20, 90, 160, 236]]];
  const narrowed = await client.search(strokes, { k: 3, category: ["cross", "box"] });
  assert.ok(narrowed.results.every(({ category }) => category === "cross" || category === "box"));
  const svg = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9" stroke="black"><path d="M1 1 L8 8 M8 1 L1 8"/></svg>';
  assert.equal((await client.search(svg, { k: 2 })).results.length, 2);
  assert.equal(await startOf(await client.preview(cross2)), "\x89PNG");
});

test("iterations follow every page", async () => {
  const hits = await all(client.iterSearch(cross2, { page: 4 }));
  assert.deepEqual(hits.map(({ rank }) => rank), Array.from({ length: 15 }, (_, index) => index + 1));
  const whole = await client.search(cross2, { k: 15 });
  assert.deepEqual(hits.map(({ photo_id }) => photo_id), whole.results.map(({ photo_id }) => photo_id));
  assert.deepEqual((await all(client.iterPhotos({ page: 4 }))).map(({ photo_id }) => photo_id).sort(), PHOTOS);
  const alike = await all(client.iterSimilar("cross/2.png", { page: 3, category: "cross" }));
  assert.deepEqual(alike.map(({ photo_id }) => photo_id).sort(), [0, 1, 3, 4].map((number) => `cross/${number}.png`));
});

test("many sketches are answered one by one, and a batch over the limit is too large", async () => {
  const white = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"/>';
  const given = [box0, box2, new Blob(["no picture"]), cross1, white, { drawing: [[[20, 236], [20, 236]], [[236, 20], [20, 236]]] }, cross2];
  const counts = [];
  const found = await all(client.searchMany(given, { k: 1, progress: (...count) => counts.push(count) }));
  assert.deepEqual(found.map(({ sketch }) => sketch), given);
  assert.deepEqual(counts, [[3, 7], [6, 7], [7, 7]]); // max_batch_items is 3
  for (const [index, one] of found.entries()) {
    if (index === 2 || index === 4) assert.throws(() => one.answer, SketchInvalid);
    else assert.equal(one.answer.results.length, 1);
  }
  assert.equal(found[6].answer.results[0].photo_id, "cross/2.png");
  await assert.rejects(client.searchBatch(Array(4).fill(cross2)), (error) => error instanceof TooLarge && error.code === "batch_too_large");
});

test("a category and a profile are adapted and rolled back", async () => {
  const pairs = [[box0, "box/0.png"], [box2, "box/2.png"]];
  const dry = await client.adapt("box", pairs, { dry_run: true });
  assert.deepEqual([dry.adapter_id ?? null, dry.k, (await client.adapters("box")).adapters], [null, 2, []]);
  const first = await client.adapt("box", pairs, { force: true });
  assert.deepEqual([first.category, (await client.adapters("box")).active], ["box", first.adapter_id]);
  assert.equal((await client.search(box0, { category: "box" })).adapter_id, first.adapter_id);
  assert.equal((await client.adapter("box", first.adapter_id)).reason, first.reason);
  assert.equal(await client.rollbackAdapter("box"), null);
  await assert.rejects(client.rollbackAdapter("box"), Conflict);
  assert.equal((await client.activateAdapter("box", first.adapter_id)).state, "active");
  await client.deleteAdapter("box", first.adapter_id);
  await assert.rejects(client.adapter("box", first.adapter_id), NotFound);
  const style = await client.adapt({ profile: "ada" }, pairs, { force: true });
  assert.deepEqual([style.profile, (await client.profiles()).profiles.map(({ profile }) => profile)], ["ada", ["ada"]]);
  const added = await client.adapt("new/kind", [[box0, box0], [box2, new Blob([box2])]], { force: true });
  assert.equal(added.category, "new/kind");
  assert.ok((await client.categories()).categories.some(({ category }) => category === "new/kind"));
  await client.deleteAdapter("new/kind", added.adapter_id, { photos: true });
});

test("photos are stored, described and deleted; a page after that is stale", async () => {
  const hits = client.iterSearch(cross2, { page: 2 });
  await hits.next();
  const photo = await client.putPhoto("fresh/ä 1.png", cross1, { metadata: { artist: "ada" } });
  assert.deepEqual([photo.category, photo.metadata.artist], ["fresh", "ada"]);
  await assert.rejects(all(hits), CursorStale);
  assert.deepEqual((await client.describePhoto(photo.photo_id, { category: "", metadata: { price: 5, artist: null } })).metadata, { price: 5 });
  assert.equal((await client.photo(photo.photo_id)).category, "");
  assert.equal((await startOf(await client.thumbnail(photo.photo_id))).slice(0, 2), "\xff\xd8");
  assert.equal(await startOf(await client.image("cross/1.png")), "\x89PNG");
  assert.equal((await fetch(client.urlOf(photo.thumbnail_url))).status, 200);
  await client.deletePhoto(photo.photo_id);
  await assert.rejects(client.photo(photo.photo_id), NotFound);
});

test("changes in bulk and a rebuild are jobs that are waited for", async () => {
  const before = (await client.versions()).changes_pending;
  const seen = [];
  const job = await client.changePhotos([
    { photo_id: "fresh/1.png", file: box0, metadata: { artist: "ada" } }, { photo_id: "box/1.png", category: "fresh" },
    { photo_id: "box/3.png", delete: true }, { photo_id: "box/none.png", delete: true },
  ]);
  const ended = await client.waitFor(job, { ...POLL, progress: (...counts) => seen.push(counts) });
  assert.deepEqual([ended.state, ended.done, ended.failed, seen.at(-1)], ["done", 4, 1, [4, 4]]);
  assert.deepEqual(ended.problems.map(({ position, code }) => [position, code]), [[3, "photo_not_found"]]);
  assert.deepEqual((await all(client.iterPhotos({ category: "fresh" }))).map(({ photo_id }) => photo_id).sort(), ["box/1.png", "fresh/1.png"]);
  assert.deepEqual([(await client.jobs()).jobs[0].job_id, (await client.job(job.job_id)).job_id], [job.job_id, job.job_id]);
  await assert.rejects(client.cancelJob(job.job_id), Conflict);
  assert.equal((await client.versions()).changes_pending, before + 3);
  assert.equal((await client.waitFor((await client.rebuildIndex({ photos: false })).job_id, POLL)).kind, "rebuild");
});

test("a deep adapter is a job that is waited for", async () => {
  const seen = [];
  const job = await client.adaptDeep("cross", [[cross1, "cross/1.png"], [cross2, "cross/2.png"]], { force: true, dry_run: true });
  const ended = await client.waitFor(job, { ...POLL, progress: (...counts) => seen.push(counts) });
  assert.deepEqual([ended.kind, ended.state, seen.at(-1)], ["adapt", "done", [3, 3]]);
  assert.match(ended.detail, /^nothing was stored: /);
});

test("feedback is kept, listed and deleted", async () => {
  const kept = await client.addFeedback(cross2, "cross/2.png");
  assert.deepEqual((await client.feedback({ category: "cross" })).feedback.map(({ feedback_id }) => feedback_id), [kept.feedback_id]);
  await client.deleteFeedback(kept.feedback_id);
  await client.addFeedback(cross2, "cross/2.png");
  await client.clearFeedback({ category: "cross" });
  assert.deepEqual((await client.feedback()).feedback, []);
});

test("problems are typed, and searches are aborted", async () => {
  const error = await client.search('{"strokes": "x"}', { k: 500 }).catch((one) => one);
  assert.ok(error instanceof RequestInvalid);
  assert.ok(error.faults.length > 0 && error.problem.request_id);
  await assert.rejects(client.search(cross2, { kk: 3 }), RequestInvalid);
  await assert.rejects(client.inGallery("nowhere").categories(), NotFound);
  await assert.rejects(client.search(cross2, { signal: AbortSignal.abort() }), { name: "AbortError" });
  assert.equal((await client.ready()).status, "ready");
  assert.ok((await client.metrics()).includes("inkseek"));
  assert.equal((await client.galleries()).galleries.length, 1);
});
