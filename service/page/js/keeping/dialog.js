/** "Save and recent": the drawing as a link or a file, and the drawings of before. */

import { isBlank, paintSmall } from "../drawing/drawing.js";
import { finder, instantiate, query } from "../element.js";
import { copyText } from "../features.js";
import { Modal } from "../modal.js";
import { text } from "../texts.js";
import { encode } from "./code.js";
import { pngFile, svgFile } from "./files.js";
import { drawingAddress } from "./link.js";

/** @typedef {import("../drawing/drawing.js").Drawing} Drawing */

export class DrawingsDialog {
  #find;
  #modal;
  #template = query(document, "#recent-template", HTMLTemplateElement);
  #recent;
  #readDrawing;
  #onOpen;

  /**
   * @param {HTMLElement} dialog
   * @param {import("../navigation.js").Navigation} navigation
   * @param {import("./recent.js").RecentDrawings} recent
   * @param {{readDrawing: () => Drawing, onOpen: (drawing: Drawing) => void}} page onOpen: that drawing is to be on the board
   */
  constructor(dialog, navigation, recent, { readDrawing, onOpen }) {
    this.#find = finder(dialog, "drawings-");
    this.#modal = new Modal(dialog, navigation);
    this.#recent = recent;
    this.#readDrawing = readDrawing;
    this.#onOpen = onOpen;
    this.#find("close").addEventListener("click", () => this.#modal.close());
    this.#find("link").addEventListener("click", () => this.#copyLink());
    this.#find("png").addEventListener("click", async () => this.#save(await pngFile(readDrawing()), "drawing.png"));
    this.#find("svg").addEventListener("click", () => this.#save(svgFile(readDrawing()), "drawing.svg"));
    this.#find("forget").addEventListener("click", () => {
      recent.clear();
      this.#render();
      this.#find("close").focus();
    });
  }

  open() {
    const blank = isBlank(this.#readDrawing());
    for (const name of ["link", "png", "svg"]) this.#find(name, HTMLButtonElement).disabled = blank;
    this.#find("address").hidden = true;
    this.#say(blank ? text("drawings.blank") : "");
    this.#render();
    this.#modal.open();
  }

  async #copyLink() {
    const code = encode(this.#readDrawing());
    if (code === null) {
      this.#say(text("drawings.no_link"));
      return;
    }
    const address = drawingAddress(code);
    const copied = await copyText(address);
    const field = this.#find("address", HTMLInputElement);
    field.hidden = copied;
    this.#say(text(copied ? "drawings.copied" : "drawings.copy_by_hand"));
    if (copied) return;
    field.value = address;
    field.focus();
    field.select();
  }

  /** @param {Blob} file @param {string} name */
  #save(file, name) {
    const url = URL.createObjectURL(file);
    Object.assign(document.createElement("a"), { href: url, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
    this.#say(text("drawings.saved", { name }));
  }

  #render() {
    const kept = this.#recent.all;
    this.#find("list").replaceChildren(...kept.map(({ code, drawing }, index) => this.#item(code, drawing, index)));
    this.#find("list").hidden = kept.length === 0;
    this.#find("recent-heading").textContent = text(kept.length ? "drawings.recent_some" : "drawings.recent_none");
    this.#find("forget").hidden = kept.length === 0;
  }

  /** @param {string} code @param {Drawing} drawing @param {number} index @returns {HTMLElement} */
  #item(code, drawing, index) {
    const item = instantiate(this.#template);
    const open = query(item, ".recent-open", HTMLElement);
    const remove = query(item, ".recent-delete", HTMLElement);
    query(open, ".hidden-text", HTMLElement).textContent = text("drawings.open", { count: index + 1 });
    query(remove, ".hidden-text", HTMLElement).textContent = text("drawings.delete", { count: index + 1 });
    open.addEventListener("click", () => {
      this.#modal.close();
      this.#onOpen(drawing);
    });
    remove.addEventListener("click", () => {
      this.#recent.remove(code);
      this.#render();
      const rest = this.#find("list").querySelectorAll(".recent-delete");
      /** @type {HTMLElement} */ (rest[Math.min(index, rest.length - 1)] ?? this.#find("close")).focus();
    });
    // Painted when the style sheet can say its colour.
    requestAnimationFrame(() => paintSmall(query(open, "canvas", HTMLCanvasElement), drawing));
    return item;
  }

  /** @param {string} words */
  #say(words) {
    this.#find("status").textContent = words;
  }
}
