/** Calls every method of the client at the URL of the first argument, and prints the names of those that sent a request. */

import { Client } from "../src/client.js";

const [, , url, gallery] = process.argv;
const PNG = new Blob(["png"], { type: "image/png" });
const STROKES = [[[45, 80], [45, 32]]];
const NARROW = { category: ["a", "b"], filter: "x=1", min_score: 0.1, exact: true, group_duplicates: false };
const PROFILE = { profile: "ada" };

/** @type {Record<string, (client: Client) => unknown>} */
const CALLS = {
  search: (client) => client.search(STROKES, { k: 3, ...NARROW, adapt: false, profile: "ada", focus: "kind", mirror: "true", frame: "false", cursor: "abc" }),
  iterSearch: (client) => client.iterSearch(PNG).next(),
  searchBatch: (client) => client.searchBatch([PNG, STROKES], { k: 3, focus: "detail" }),
  searchVector: (client) => client.searchVector({ bundle: "b-1", vector: [0.6, 0.8], mirrored: [0.8, 0.6] }, { k: 3, ...NARROW, cursor: "abc" }),
  encoder: (client) => client.encoder(),
  encoderFile: (client) => client.encoderFile("b-1"),
  preview: (client) => client.preview(PNG, { frame: "true", category: ["shoe"], focus: "detail" }),
  similar: (client) => client.similar("a/b.jpg", NARROW),
  iterSimilar: (client) => client.iterSimilar("a/b.jpg", { filter: ["x=1", "y=2"] }).next(),
  photos: (client) => client.photos({ limit: 5, text: "red", cursor: "abc", category: "a", filter: "x=1", fields: ["photo_id", "sha256"] }),
  iterPhotos: (client) => client.iterPhotos().next(),
  photo: (client) => client.photo("a/b.jpg"),
  thumbnail: (client) => client.thumbnail("a/b.jpg"),
  image: (client) => client.image("a/b.jpg"),
  putPhoto: (client) => client.putPhoto("a/b.jpg", PNG, { category: "a", metadata: { x: 1 } }),
  describePhoto: (client) => client.describePhoto("a/b.jpg", { category: "", metadata: { x: null } }),
  deletePhoto: (client) => client.deletePhoto("a/b.jpg"),
  changePhotos: (client) => client.changePhotos([{ photo_id: "a", file: PNG, category: "c" }, { photo_id: "b", category: "c" }, { photo_id: "d", delete: true }]),
  categories: (client) => client.categories(),
  galleries: (client) => client.galleries(),
  adapt: async (client) => {
    await client.adapt(PROFILE, [[PNG, "id"]]);
    return client.adapt("a/b", [[PNG, "id"], [STROKES, PNG]], { photos: ["id"], force: true, dry_run: true });
  },
  adaptDeep: (client) => client.adaptDeep("a/b", [[PNG, "id"], [STROKES, "id-2"]], { force: true }),
  adapters: async (client) => [await client.adapters("a"), await client.adapters(PROFILE)],
  adapter: async (client) => [await client.adapter("a", "adapter-1"), await client.adapter(PROFILE, "adapter-1")],
  activateAdapter: async (client) => [await client.activateAdapter("a", "adapter-1"), await client.activateAdapter(PROFILE, "adapter-1")],
  rollbackAdapter: async (client) => [await client.rollbackAdapter("a"), await client.rollbackAdapter(PROFILE)],
  deleteAdapter: async (client) => [await client.deleteAdapter("a", "adapter-1", { photos: true }), await client.deleteAdapter(PROFILE, "adapter-1")],
  profiles: (client) => client.profiles(),
  addFeedback: (client) => client.addFeedback(PNG, "a/b.jpg"),
  feedback: (client) => client.feedback({ category: "a" }),
  deleteFeedback: (client) => client.deleteFeedback("feedback-1"),
  clearFeedback: (client) => client.clearFeedback({ category: "a" }),
  rebuildIndex: (client) => client.rebuildIndex({ photos: false }),
  jobs: (client) => client.jobs(),
  job: (client) => client.job("job-1"),
  cancelJob: (client) => client.cancelJob("job-1"),
  versions: (client) => client.versions(),
  info: (client) => client.info(),
  ready: (client) => client.ready(),
  metrics: (client) => client.metrics(),
  keys: (client) => client.keys(),
  createKey: (client) => client.createKey({ name: "ada", scopes: ["search"], rate_limit: "10/second" }),
  revokeKey: (client) => client.revokeKey("5f0c2d9a71be"),
};
/** Of no request of their own; the tests over a real service have them. */
const COMPOSED = ["searchMany", "waitFor", "inGallery", "send", "urlOf"];

const client = new Client(url, { gallery: gallery ?? null, retries: { attempts: 1 } });
for (const call of Object.values(CALLS)) await call(client);
console.log(JSON.stringify({ called: Object.keys(CALLS), composed: COMPOSED, methods: [...methodsOf(Client)] }));

function methodsOf(Kind) {
  const names = new Set();
  for (let at = Kind.prototype; at !== Object.prototype; at = Object.getPrototypeOf(at)) Object.getOwnPropertyNames(at).forEach((name) => names.add(name));
  names.delete("constructor");
  return names;
}
