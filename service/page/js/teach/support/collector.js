/** Collects pairs for the chosen target: the drawing on the board, with photos of the results or from files. */

import { isBlank } from "../../drawing/drawing.js";
import { PictureError, readPhoto } from "../../drawing/pictures.js";
import { drawingKey, galleryPhoto, ownPhoto, sketchOf } from "./pair.js";
import { SupportSets } from "./support_sets.js";
import { text } from "../../texts.js";

/** @typedef {import("../../drawing/drawing.js").Drawing} Drawing */
/** @typedef {import("./pair.js").Pair} Pair */
/** @typedef {import("./pair.js").Sketch} Sketch */

export class Collector {
  /** The pairs must not change: an adapter is being fitted to them. */
  held = false;
  #sets = new SupportSets();
  #choice;
  #readDrawing;
  #notice;
  #onChange;

  /**
   * @param {import("../target_choice.js").TargetChoice} choice
   * @param {() => Drawing} readDrawing
   * @param {import("../notice.js").Notice} notice
   * @param {() => void} onChange the pairs changed
   */
  constructor(choice, readDrawing, notice, onChange) {
    this.#choice = choice;
    this.#readDrawing = readDrawing;
    this.#notice = notice;
    this.#onChange = onChange;
  }

  /** @returns {import("./support_set.js").SupportSet} the pairs for the chosen kind of target */
  get support() {
    return this.#sets.of(this.#choice.target.kind);
  }

  /** @param {Drawing} drawing @returns {import("./pair.js").PairPhoto | null} the photo that was marked for it */
  photoFor(drawing) {
    return this.support.photoFor(drawingKey(drawing));
  }

  /** Brings back what was collected before a reload. */
  async restore() {
    const names = await this.#sets.restore();
    if (names) this.#choice.restore(names);
  }

  save() {
    return this.#sets.save(this.#choice.names);
  }

  /** Marks a photo as the right one for the drawing on the board. @param {import("../../api/client.js").Hit} hit */
  choose(hit) {
    return this.#withDrawing((sketch) => {
      this.support.choose(sketch, galleryPhoto(hit));
      const { kind, name } = this.#choice.target;
      if (kind === "category" && !name && hit.category) this.#choice.rename(hit.category);
    });
  }

  /** The drawing on the board is one of that pair's photo. @param {Pair} pair */
  draw(pair) {
    return this.#withDrawing((sketch) => this.support.draw(pair.id, sketch));
  }

  /** @param {Pair} pair */
  remove(pair) {
    this.#change(() => this.support.remove(pair.id));
  }

  /** Adds own photos; a single one is the right photo for the drawing on the board, if that has none yet. @param {File[]} files */
  async addFiles(files) {
    const drawing = this.#readDrawing();
    const single = files.length === 1 && !isBlank(drawing) && !this.photoFor(drawing);
    try {
      for (const file of files) {
        const photo = ownPhoto(await readPhoto(file));
        if (single) await this.#withDrawing((sketch) => this.support.choose(sketch, photo));
        else this.#change(() => this.support.add(photo));
      }
    } catch (error) {
      if (!(error instanceof PictureError)) throw error;
      this.#notice.show(text("collect.unusable"), error.message);
    }
  }

  /** Own photos are in the gallery now. @param {readonly string[]} photoIds */
  uploaded(photoIds) {
    this.support.uploaded(photoIds);
    this.save();
  }

  /** @param {(sketch: Sketch) => void} use of the drawing that is on the board */
  async #withDrawing(use) {
    const drawing = this.#readDrawing();
    if (isBlank(drawing)) {
      this.#notice.show(text("collect.empty"), text("collect.empty.detail"));
      return;
    }
    const sketch = await sketchOf(drawing);
    this.#change(() => use(sketch));
  }

  /** @param {() => void} change of the pairs */
  #change(change) {
    if (this.held) return;
    change();
    this.#notice.hide();
    this.#onChange();
    this.save();
  }
}
