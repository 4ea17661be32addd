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
  return JSON.stringify(drawing.map((mark) => (mark.kind === "image" ? { kind: mark.kind, src: mark.src, flipped: mark.flipped, frame: mark.frame } : mark)));
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

/**
 * @typedef {{k: number, categories: readonly string[], filters: readonly string[], focus: "balanced" | null, profile: string | null,
 *   group: boolean, words: string, like: string | null}} Address
 *   what is searched for, but for the drawing (?k=, ?category=, ?filter=, ?focus=, ?profile=, ?group=, ?text=, ?like=)
 */

/** @returns {Address} from the address of the page */
export function readAddress() {
  const query = new URLSearchParams(location.search);
  const k = Number.parseInt(query.get("k") ?? "", 10);
  return {
    k: k >= 1 && k <= MAX_K ? k : DEFAULT_K,
    categories: query.getAll("category"),
    filters: query.getAll("filter"),
    focus: query.get("focus") === "balanced" ? "balanced" : null,
    profile: query.get("profile"),
    group: query.get("group") === "true",
    words: query.get("text") ?? "",
    like: query.get("like"),
  };
}

/** @param {Address} search @returns {string} the address of the page for that search; what it does not say (?gallery=) stays as it is */
export function addressOf({ k, categories, filters, focus, profile, group, words, like }) {
  const url = new URL(location.href);
  for (const name of ["k", "category", "filter", "focus", "profile", "group", "text", "like"]) url.searchParams.delete(name);
  if (k !== DEFAULT_K) url.searchParams.set("k", String(k));
  for (const category of categories) url.searchParams.append("category", category);
  for (const filter of filters) url.searchParams.append("filter", filter);
  if (focus !== null && categories.length === 1) url.searchParams.set("focus", focus);
  if (profile !== null) url.searchParams.set("profile", profile);
  if (group) url.searchParams.set("group", "true");
  if (words) url.searchParams.set("text", words);
  if (like !== null) url.searchParams.set("like", like);
  return url.href;
}
