/** An application of React Native, but for its screen: one line of JSON for each answer. */

require("./native_half");
require("react-native/Libraries/Core/setUpXHR"); // fetch, FormData, Blob, AbortController: what an application starts with
const { Client } = require("@inkseek/client");

const DRAWING = { drawing: [[[20, 236], [20, 236]], [[236, 20], [20, 236]]] };
const FILE = { uri: "file:///sketch.png", name: "sketch.png", type: "image/png" };
const client = new Client("http://service", { key: "ink_key", retries: { attempts: 1 } });

async function main() {
  const answer = await client.search(DRAWING, { k: 3, category: ["cross", "box"] });
  say("strokes", answer.results.map((hit) => hit.photo_id));
  say("file", (await client.search(FILE, { k: 3 })).results.map((hit) => hit.photo_id));
  say("bytes", (await client.search(new Uint8Array(globalThis.PICTURE), { k: 3 })).results.map((hit) => hit.photo_id));
  const seen = [];
  for await (const hit of client.iterSearch(DRAWING, { page: 4 })) {
    seen.push(hit.photo_id);
    if (seen.length === 7) break;
  }
  say("iterated", seen);
  const thumbnail = await client.thumbnail("cross/1.png");
  say("thumbnail", [thumbnail.size, thumbnail.type]);
  say("stored", (await client.putPhoto("box/new.png", FILE, { category: "box" })).photo_id);
  const error = await client.photo("none/none.png").catch((reason) => reason);
  say("error", [error.name, error.code, error instanceof Error]);
  const abort = new AbortController();
  abort.abort();
  say("aborted", (await client.info({ signal: abort.signal }).catch((reason) => reason)).name);
}

function say(name, value) {
  print(JSON.stringify({ [name]: value }));
}

main().catch((error) => say("failed", `${error.stack}`));
