/** The drawings of before, in this browser: a few, as the codes that links have. Where storage is forbidden, until the page goes. */

import { decodeDrawing, encode } from "./code.js";

const KEY = "inkseek.recent";
/** Two rows of a phone; at 4,000 letters at most, a hundredth of what a site may store. */
const MOST = 12;

/** @typedef {import("../drawing/drawing.js").Drawing} Drawing */

export class RecentDrawings {
  /** @type {string[]} newest first */
  #codes = load();

  /** @returns {{code: string, drawing: Drawing}[]} newest first */
  get all() {
    return this.#codes.flatMap((code) => {
      const drawing = decodeDrawing(code);
      return drawing ? [{ code, drawing }] : [];
    });
  }

  /** Keeps a drawing, as the newest; one with a picture is not kept. @param {Drawing} drawing */
  add(drawing) {
    const code = drawing.some(({ kind }) => kind === "stroke") ? encode(drawing) : null;
    if (code === null) return;
    this.#set([code, ...this.#codes.filter((other) => other !== code)].slice(0, MOST));
  }

  /** @param {string} code */
  remove(code) {
    this.#set(this.#codes.filter((other) => other !== code));
  }

  clear() {
    this.#set([]);
  }

  /** @param {string[]} codes */
  #set(codes) {
    this.#codes = codes;
    try {
      if (codes.length) localStorage.setItem(KEY, JSON.stringify(codes));
      else localStorage.removeItem(KEY);
    } catch {
      // Storage is full or forbidden: they are kept as long as the page.
    }
  }
}

/** @returns {string[]} */
function load() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(kept) ? kept.filter((code) => typeof code === "string").slice(0, MOST) : [];
  } catch {
    return [];
  }
}
