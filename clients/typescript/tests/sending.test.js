import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { test } from "node:test";

import { Client } from "../src/client.js";
import * as errors from "../src/errors.js";
import { errorOf } from "../src/problems.js";
import { CATEGORIES, JOB, NO_WAIT, answered, broken, problem, scripted } from "./fakes.js";

const URL = "http://inkseek.test";

/** Never answers, and rejects as fetch does when its signal aborts. */
function silent(_url, { signal }) {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason));
  });
}

test("key, path, gallery and unusual ids reach the service", async () => {
  const { requests, fetch } = scripted(new Response("JPEG", { headers: { "Content-Type": "image/jpeg" } }));
  const client = new Client("http://inkseek.test/below/", { key: "secret", fetch });
  assert.equal(await (await client.inGallery("my shoes").thumbnail("shoe/ä?#%.png")).text(), "JPEG");
  await client.thumbnail("a");
  await client.inGallery("my shoes").metrics();
  assert.deepEqual(requests.map(({ url }) => url), [
    "http://inkseek.test/below/v1/galleries/my%20shoes/photos/shoe/%C3%A4%3F%23%25.png?view=thumbnail",
    "http://inkseek.test/below/v1/photos/a?view=thumbnail",
    "http://inkseek.test/below/metrics",
  ]);
  assert.deepEqual(requests.map(({ headers }) => headers.Authorization), Array(3).fill("Bearer secret"));
});

test("a key may change between requests, and one that no header can carry is not shown", async () => {
  const keys = ["one", null];
  const { requests, fetch } = scripted(answered(CATEGORIES));
  const client = new Client(URL, { fetch, key: () => keys.shift() ?? null });
  await client.categories();
  await client.categories();
  assert.deepEqual(requests.map(({ headers }) => headers.Authorization), ["Bearer one", undefined]);
  const error = await new Client(URL, { fetch, key: "se\ncret" }).categories().catch((one) => one);
  assert.ok(error instanceof errors.KeyRejected);
  assert.ok(!error.message.includes("cret"));
});

test("pictures have the URL of the service, whether or not it knows the path of its proxy", () => {
  const client = new Client("https://shop.test/sketch/");
  assert.equal(client.urlOf("/v1/photos/a/thumbnail"), "https://shop.test/sketch/v1/photos/a/thumbnail");
  assert.equal(client.urlOf("/sketch/v1/photos/a/thumbnail"), "https://shop.test/sketch/v1/photos/a/thumbnail");
  assert.equal(new Client("").urlOf("/v1/photos/a/image"), "/v1/photos/a/image");
  assert.equal(new Client("/sketch").urlOf("/sketch/v1/photos/a/image"), "/sketch/v1/photos/a/image");
});

test("an abort ends a call with the reason of its signal, and is not repeated", async () => {
  const { requests, fetch } = scripted(silent);
  const controller = new AbortController();
  const call = new Client(URL, { fetch }).info({ signal: controller.signal });
  controller.abort(new RangeError("the user has left"));
  await assert.rejects(call, { name: "RangeError", message: "the user has left" });
  await assert.rejects(new Client(URL, { fetch }).info({ signal: AbortSignal.abort() }), { name: "AbortError" });
  assert.ok(requests.length <= 2);
});

test("an abort ends a wait between two attempts", async () => {
  const controller = new AbortController();
  const { requests, fetch } = scripted(() => {
    setTimeout(() => controller.abort(), 0);
    return problem(503, "not_ready", "25");
  });
  await assert.rejects(new Client(URL, { fetch }).info({ signal: controller.signal }), { name: "AbortError" });
  assert.equal(requests.length, 1);
});

test("an answer that does not come in time is TimedOut", async () => {
  const { requests, fetch } = scripted(silent);
  await assert.rejects(new Client(URL, { fetch, timeoutMs: 5, retries: { attempts: 2, backoffMs: 0 } }).info(), errors.TimedOut);
  assert.equal(requests.length, 2);
  await assert.rejects(new Client(URL, { fetch, retries: { attempts: 1 } }).info({ timeoutMs: 5 }), errors.TimedOut);
});

test("the time limit holds for the body as well", async () => {
  const body = (_url, { signal }) => new Response(new ReadableStream({ start: (out) => signal.addEventListener("abort", () => out.error(signal.reason)) }));
  const endless = async (url, init) => body(url, init);
  await assert.rejects(new Client(URL, { fetch: endless, timeoutMs: 5, retries: { attempts: 1 } }).metrics(), errors.TimedOut);
});

test("a signal that outlives its calls holds none of their listeners", async () => {
  const { signal } = new AbortController();
  const counts = { added: 0, removed: 0 };
  const { addEventListener, removeEventListener } = signal;
  signal.addEventListener = (...args) => (counts.added++, addEventListener.apply(signal, args));
  signal.removeEventListener = (...args) => (counts.removed++, removeEventListener.apply(signal, args));
  const { fetch } = scripted(problem(503, "not_ready", "0"), answered(CATEGORIES));
  await new Client(URL, { fetch }).categories({ signal });
  assert.ok(counts.added > 1);
  assert.equal(counts.added, counts.removed);
});

for (const [name, answer] of [
  ["JSON of another service", answered({ hello: "world" })],
  ["no JSON", new Response("<html>")],
  ["null", answered(null)],
  ["a redirect", new Response(null, { status: 302, headers: { Location: "/elsewhere" } })],
]) {
  test(`an answer of something else says so: ${name}`, async () => {
    const { fetch } = scripted(answer);
    await assert.rejects(new Client(URL, { fetch }).info(), (error) => error instanceof errors.UnexpectedAnswer && /\/v1\/info/.test(error.message) && error.status === answer.status);
  });
}

test("a login page is neither a picture nor the end of a photo", async () => {
  const client = new Client(URL, scripted(new Response("<html>", { headers: { "Content-Type": "text/html" } })));
  for (const call of [client.thumbnail("a"), client.preview(new Blob(["png"])), client.deletePhoto("a"), client.search(new Blob(["png"]))]) {
    await assert.rejects(call, errors.UnexpectedAnswer);
  }
});

test("a service that is not there is named, and the key is not", async () => {
  const { fetch } = scripted(broken("ECONNREFUSED"));
  const error = await new Client("http://inkseek.test/below", { fetch, key: "secret", retries: NO_WAIT }).info().catch((one) => one);
  assert.ok(error instanceof errors.Unreachable);
  assert.match(error.message, /inkseek\.test\/below/);
  assert.ok(!error.message.includes("secret"));
  assert.equal(error.cause.cause.code, "ECONNREFUSED");
});

test("a real connection that is refused is one that was not made", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  let sent = 0;
  const counting = (...args) => (sent++, fetch(...args));
  await assert.rejects(new Client(`http://127.0.0.1:${port}`, { fetch: counting, retries: { attempts: 2, backoffMs: 0 } }).rebuildIndex(), errors.Unreachable);
  assert.equal(sent, 2);
});

test("every error is in the tree at the head of its module, by its own name", async () => {
  const source = await readFile(new globalThis.URL("../src/errors.js", import.meta.url), "utf8");
  const drawn = source.slice(0, source.indexOf("*/"));
  const kinds = Object.entries(errors);
  assert.equal(kinds.length, 16);
  for (const [name, Kind] of kinds) {
    assert.match(drawn, new RegExp(`\\b${name}\\b`));
    assert.ok(Kind === errors.InkseekClientError || Kind.prototype instanceof errors.InkseekClientError);
  }
  assert.equal(errorOf({ type: "", title: "", status: 404, detail: "", code: "x" }).name, "NotFound");
});

test("a problem keeps what programs need", async () => {
  const document = { type: "t", title: "T", status: 422, detail: "D", code: "new_code", errors: [{ where: "query.k", what: "too large" }], request_id: "r1", later: "field" };
  const { fetch } = scripted(answered(document, 422));
  const error = await new Client(URL, { fetch }).info().catch((one) => one);
  assert.ok(error instanceof errors.RequestInvalid);
  assert.deepEqual([error.code, error.status, error.problem.request_id, error.faults], ["new_code", 422, "r1", document.errors]);
  assert.equal(error.headers.get("Content-Type"), "application/json");
});

test("a page of a proxy is an error as well", async () => {
  for (const [status, Kind] of [[404, errors.NotFound], [500, errors.ServiceFailed], [418, errors.RequestInvalid]]) {
    const { fetch } = scripted(new Response("<h1>nothing here</h1>", { status }));
    const error = await new Client(URL, { fetch }).info().catch((one) => one);
    assert.equal(error.constructor, Kind);
    assert.deepEqual([error.code, error.message], ["http_error", `HTTP ${status}: <h1>nothing here</h1>`]);
  }
});

for (const state of ["failed", "cancelled"]) {
  test(`a job that has ${state} says why`, async () => {
    const { fetch } = scripted(answered({ ...JOB, state, detail: "disk is full" }));
    const error = await new Client(URL, { fetch }).waitFor("job-1").catch((one) => one);
    assert.ok(error instanceof errors.JobFailed);
    assert.deepEqual([error.message, error.job.state], [`job job-1 has ${state}: disk is full`, state]);
  });
}

test("waiting ends while the job goes on, and when it is done", async () => {
  const running = answered({ ...JOB, state: "running", done: 1, total: 2 });
  const client = new Client(URL, scripted(running));
  await assert.rejects(client.waitFor("job-1", { timeoutMs: 0 }), errors.TimedOut);
  await assert.rejects(client.waitFor("job-1", { pollMs: 60_000, signal: AbortSignal.timeout(5) }), { name: "TimeoutError" });
  const seen = [];
  const ending = new Client(URL, scripted(running, answered({ ...JOB, state: "done", done: 2, total: 2 })));
  const job = await ending.waitFor(JOB, { pollMs: 0, progress: (...counts) => seen.push(counts) });
  assert.deepEqual([job.state, seen], ["done", [[1, 2], [2, 2]]]);
});
