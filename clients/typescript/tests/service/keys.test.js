/** A service that has keys at INKSEEK_URL; KEY may search. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Client, Denied, KeyRejected } from "@inkseek/client";

const { INKSEEK_URL: url, KEY: key } = process.env;

test("a key is sent and says what it may do", async () => {
  await assert.rejects(new Client(url).info(), KeyRejected);
  const client = new Client(url, { key: () => key });
  assert.deepEqual((await client.info()).access, ["search"]);
  await assert.rejects(client.deletePhoto("box/0.png"), Denied);
  await assert.rejects(client.metrics(), Denied);
});
