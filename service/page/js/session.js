/** What survives a reload: the drawing in the session's storage, the search in the address. */

import { decode } from "./drawing/pictures.js";

/** @typedef {import("./drawing/drawing.js").Line} Line */
/** @typedef {import("./drawing/drawing.js").Picture} Picture */

const DRAWING_KEY = "inkseek.drawing";
const SINGLE_KEYS_KEY = "inkseek.single-keys";
export const DEFAULT_K = 24;
/** The service's own limit. */
const MAX_K = 200;

/** @param {import("./drawing/drawing.js").Drawing} drawing @returns {string} all of it, pictures as data URLs */
export function serialise(drawing) {
  return JSON.stringify(drawing.map((mark) => (mark.kind === "image" ? { kind: mark.kind, src: mark.src, flipped: mark.flipped } : mark)));
}

/** @param {import("./drawing/drawing.js").Drawing} drawing */
export function saveDrawing(drawing) {
  try {
    sessionStorage.setItem(DRAWING_KEY, serialise(drawing));
  } catch {
    // Storage is full or forbidden: the drawing lives as long as the page does, and no older one comes back.
    forgetDrawing();
  }
}

function forgetDrawing() {
  try {
    sessionStorage.removeItem(DRAWING_KEY);
  } catch {
    // Storage is forbidden, so there is none.
  }
}

/** @returns {Promise<import("./drawing/drawing.js").Drawing>} what was kept; an empty drawing when nothing was, or nothing usable */
export async function loadDrawing() {
  try {
    return await deserialise(sessionStorage.getItem(DRAWING_KEY) ?? "[]");
  } catch {
    return [];
  }
}

/** @param {string} text of `serialise` @returns {Promise<import("./drawing/drawing.js").Drawing>} */
export async function deserialise(text) {
  return Promise.all(JSON.parse(text).map(async (/** @type {Line | Picture} */ mark) => (mark.kind === "image" ? { ...mark, image: await decode(mark.src) } : mark)));
}

/** @returns {boolean} whether single keys (E, [, ...) are shortcuts; some ways of typing and speaking need them off */
export function loadSingleKeys() {
  try {
    return localStorage.getItem(SINGLE_KEYS_KEY) !== "off";
  } catch {
    return true;
  }
}

/** @param {boolean} on */
export function saveSingleKeys(on) {
  try {
    localStorage.setItem(SINGLE_KEYS_KEY, on ? "on" : "off");
  } catch {
    // Not kept, then.
  }
}

/** @returns {{k: number, categories: string[], like: string | null}} from the address (?k=, ?category=, ?like=) */
export function readAddress() {
  const query = new URLSearchParams(location.search);
  const k = Number.parseInt(query.get("k") ?? "", 10);
  return {
    k: k >= 1 && k <= MAX_K ? k : DEFAULT_K,
    categories: query.getAll("category"),
    like: query.get("like"),
  };
}

/**
 * @param {{k: number, categories: readonly string[], like: string | null}} search
 * @param {{push: boolean}} options push: the browser's "back" returns to the search before
 */
export function writeAddress({ k, categories, like }, { push }) {
  const url = new URL(location.href);
  for (const name of ["k", "category", "like"]) url.searchParams.delete(name);
  if (k !== DEFAULT_K) url.searchParams.set("k", String(k));
  for (const category of categories) url.searchParams.append("category", category);
  if (like !== null) url.searchParams.set("like", like);
  if (url.href === location.href) return;
  if (push) history.pushState(null, "", url);
  else history.replaceState(null, "", url);
}
