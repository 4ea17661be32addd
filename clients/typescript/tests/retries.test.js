import assert from "node:assert/strict";
import { test } from "node:test";

import { Client } from "../src/client.js";
import { Conflict, ServiceProblem, TryLater, Unreachable } from "../src/errors.js";
import { errorOf, retryAfterMs } from "../src/problems.js";
import { retriesOf, waitMs } from "../src/retries.js";
import { CATEGORIES, JOB, NO_WAIT, answered, broken, problem, scripted } from "./fakes.js";

const URL = "http://inkseek.test";
const NOW = Date.UTC(2026, 10, 26, 12);

function errorWith(status, code, afterMs = null) {
  return errorOf({ type: "", title: "T", status, detail: "D", code }, null, afterMs);
}

for (const status of [429, 502, 503, 504]) {
  test(`an idempotent call is sent again after ${status}`, async () => {
    const { requests, fetch } = scripted(problem(status, "busy", "0"), answered(CATEGORIES));
    assert.equal((await new Client(URL, { fetch }).categories()).total, 3);
    assert.equal(requests.length, 2);
  });
}

for (const code of ["queue_full", "rate_limited", "not_ready"]) {
  test(`a change is sent again after ${code}: the service did nothing`, async () => {
    const { requests, fetch } = scripted(problem(503, code, "0"), answered(JOB, 202));
    assert.equal((await new Client(URL, { fetch }).rebuildIndex()).job_id, "job-1");
    assert.equal(requests.length, 2);
  });
}

for (const [name, step, kind] of [
  ["deadline_exceeded", problem(503, "deadline_exceeded", "0"), TryLater],
  ["a gateway's answer", problem(502, "http_error", "0"), ServiceProblem],
  ["a conflict", problem(409, "jobs_limit"), Conflict],
  ["a broken connection", broken("ECONNRESET"), Unreachable],
  ["what a browser does not tell", broken(), Unreachable],
]) {
  test(`a change is sent once where nobody knows: ${name}`, async () => {
    const { requests, fetch } = scripted(step, answered(JOB, 202));
    await assert.rejects(new Client(URL, { fetch, retries: NO_WAIT }).rebuildIndex(), kind);
    assert.equal(requests.length, 1);
  });
}

test("a change is sent again where no connection was made", async () => {
  const { requests, fetch } = scripted(broken("ECONNREFUSED"), answered(JOB, 202));
  await new Client(URL, { fetch, retries: NO_WAIT }).rebuildIndex();
  assert.equal(requests.length, 2);
});

test("a fit is repeated where it is only a dry run", async () => {
  const fitted = answered({ leave_one_out: {}, adapter_id: null });
  for (const [dryRun, sent] of [[true, 2], [false, 1]]) {
    const { requests, fetch } = scripted(broken(), fitted);
    await new Client(URL, { fetch, retries: NO_WAIT }).adapt("shoe", [[new Uint8Array(3), "a"]], { dry_run: dryRun }).catch(() => {});
    assert.equal(requests.length, sent);
  }
});

test("a body is sent whole each time", async () => {
  const answer = answered({ results: [], bundle_id: "b", index_version: "1", timings_ms: { total: 1 } });
  const { requests, fetch } = scripted(broken(), problem(429, "queue_full", "0"), answer);
  const sketch = new TextEncoder().encode("a drawing");
  await new Client(URL, { fetch, retries: NO_WAIT }).search(sketch, { k: 3, category: ["shoe", "hat"], exact: true, profile: null });
  const bodies = await Promise.all(requests.map(({ body }) => new Response(body).text()));
  assert.deepEqual(bodies, Array(3).fill("a drawing"));
  assert.equal(requests[2].url, `${URL}/v1/search?k=3&category=shoe&category=hat&exact=true`);
});

test("attempts are bounded", async () => {
  const { requests, fetch } = scripted(problem(429, "rate_limited", "0"));
  const error = await new Client(URL, { fetch, retries: { attempts: 3 } }).categories().catch((one) => one);
  assert.ok(error instanceof TryLater);
  assert.deepEqual([requests.length, error.retryAfterMs, error.code, error.status], [3, 0, "rate_limited", 429]);
});

test("a wait beyond the bound is the caller's", async () => {
  const { requests, fetch } = scripted(problem(429, "rate_limited", "31"), answered(CATEGORIES));
  const error = await new Client(URL, { fetch }).categories().catch((one) => one);
  assert.deepEqual([requests.length, error.retryAfterMs], [1, 31_000]);
});

test("waits follow Retry-After and else double", () => {
  const retries = retriesOf({ attempts: 9, maxWaitMs: 10_000, backoffMs: 500 });
  const longest = [1, 2, 3, 4, 5, 6].map((attempt) => waitMs(retries, errorWith(503, "x"), attempt, true, () => 1));
  assert.deepEqual(longest, [1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
  assert.equal(waitMs(retries, errorWith(503, "x"), 1, true, () => 0), 0);
  assert.equal(waitMs(retries, errorWith(503, "x", 7_500), 1, false), 7_500);
  assert.equal(waitMs(retries, errorWith(503, "x", 10_500), 1, true), null);
  assert.equal(waitMs(retries, errorWith(503, "x", 0), 9, true), null);
  assert.equal(waitMs(retries, new RangeError("no error of the tree"), 1, true), null);
});

test("bounds that make no sense are rejected", () => {
  for (const wrong of [{ attempts: 0 }, { maxWaitMs: -1 }, { backoffMs: -0.1 }, { attempts: NaN }]) {
    assert.throws(() => new Client(URL, { retries: wrong }), RangeError);
  }
});

test("Retry-After is a number or a date", () => {
  const at = (seconds) => new Date(NOW + 1000 * seconds).toUTCString();
  const expected = [[null, null], ["2", 2_000], [" 3 ", 3_000], ["soon", null], ["-1", null], ["1.5", null], [at(90), 90_000], [at(-90), 0]];
  for (const [header, ms] of expected) assert.equal(retryAfterMs(header, NOW), ms, String(header));
});
