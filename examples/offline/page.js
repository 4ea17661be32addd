/** The page: it draws, asks the worker, and shows what that finds. */

import { Board } from "./board.js";

const K = 24;
const SAID = {
  sketch_empty: "Draw something",
  sketch_solid: "Too much ink: draw lines on plain paper",
  strokes_invalid: "That is no drawing",
};

const [state, figures, heading, results] = ["state", "figures", "heading", "results"].map((id) => document.getElementById(id));
const [undo, clear, picture] = ["undo", "clear", "picture"].map((id) => document.getElementById(id));
const worker = new Worker("worker.js", { type: "module" });
const board = new Board(document.getElementById("board"), find);
/** @type {{photo_id: string, category: string, url: string}[]} */
let photos = [];
/** Of the newest sketch; while one is in work, only the newest one waits. */
let [newest, inWork, waiting] = [0, 0, null];

undo.addEventListener("click", () => board.undo());
clear.addEventListener("click", () => board.clear());
picture.addEventListener("change", async () => {
  const [file] = picture.files;
  picture.value = "";
  if (!file) return;
  try {
    await board.show(file);
  } catch {
    heading.textContent = "That file is no picture";
  }
});
worker.addEventListener("message", ({ data }) => {
  if ("ready" in data) ready();
  else if ("failed" in data) state.textContent = `The encoder did not load: ${data.failed}`;
  else answered(data);
});
worker.addEventListener("error", () => {
  state.textContent = "This browser cannot run the encoder";
});
board.paint();
keepOffline();

async function ready() {
  photos = await loadPhotos();
  document.body.dataset.ready = "true";
  tellState();
}

/** The thumbnails lie in one file, one behind the other. */
async function loadPhotos() {
  const [{ photos: described }, blob] = await Promise.all([
    fetch("gallery.json").then((answer) => answer.json()),
    fetch("thumbnails.bin").then((answer) => answer.blob()),
  ]);
  let start = 0;
  return described.map(({ bytes, ...photo }) => {
    const thumbnail = blob.slice(start, start + bytes, "image/jpeg");
    start += bytes;
    return { ...photo, url: URL.createObjectURL(thumbnail) };
  });
}

function find() {
  undo.disabled = clear.disabled = board.isBlank;
  newest++;
  waiting = null;
  if (board.isBlank) {
    results.replaceChildren();
    heading.textContent = "Draw something";
    figures.textContent = "";
    return;
  }
  const asked = { id: newest, sketch: board.sketch(), k: K };
  if (inWork) waiting = asked;
  else ask(asked);
}

function ask(asked) {
  inWork = asked.id;
  worker.postMessage(asked);
}

function answered({ id, hits, encodeMs, searchMs, code, error }) {
  inWork = 0;
  if (waiting) {
    ask(waiting);
    waiting = null;
  }
  if (id !== newest) return;
  if (error) {
    heading.textContent = SAID[code] ?? error;
    return;
  }
  heading.textContent = `The ${hits.length} best of ${photos.length} photos`;
  figures.textContent = `Encoded in ${Math.round(encodeMs)} ms, searched in ${searchMs.toFixed(1)} ms, on this device`;
  results.replaceChildren(...hits.map(shown));
  document.body.dataset.answered = String(id);
}

function shown({ row, score, mirrored }) {
  const { photo_id: id, category, url } = photos[row];
  const item = document.createElement("li");
  item.dataset.photoId = id;
  const image = Object.assign(new Image(), { src: url, alt: category || id, title: id });
  const line = document.createElement("p");
  for (const text of [category || id, `${score.toFixed(2)}${mirrored ? " ⇄" : ""}`]) {
    line.append(Object.assign(document.createElement("span"), { textContent: text }));
  }
  item.append(image, line);
  return item;
}

/** @returns {Promise<void>} once every file is kept, the page works without a network */
async function keepOffline() {
  if (!("serviceWorker" in navigator)) return;
  await navigator.serviceWorker.register("service_worker.js");
  await navigator.serviceWorker.ready;
  document.body.dataset.kept = "true";
  tellState();
}

function tellState() {
  if (!document.body.dataset.ready) return;
  state.textContent = `${photos.length} photos${document.body.dataset.kept ? ", kept for use without a network" : ""}`;
}
