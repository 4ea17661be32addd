/**
 * The support set: the photos that were collected to adapt to, most of them with a drawing.
 *
 * @typedef {{key: string | null, png: Blob | null, photo: PairPhoto}} StoredPair
 */

import { deserialise } from "../../session.js";

/** @typedef {import("./pair.js").Pair} Pair */
/** @typedef {import("./pair.js").PairPhoto} PairPhoto */
/** @typedef {import("./pair.js").Sketch} Sketch */

export class SupportSet {
  /** @type {Pair[]} */
  #pairs = [];
  #nextId = 1;

  /** @returns {readonly Pair[]} in the order of collecting */
  get pairs() {
    return this.#pairs;
  }

  /** @returns {readonly Pair[]} those with a drawing, which the adapter is fitted to */
  get drawn() {
    return this.#pairs.filter(({ sketch }) => sketch);
  }

  /** @param {string} key of a drawing @returns {PairPhoto | null} the photo that was chosen for it */
  photoFor(key) {
    return this.#pairOf(key)?.photo ?? null;
  }

  /** @param {string} category @returns {Pair[]} whose photo is of another category of the gallery */
  outside(category) {
    return this.#pairs.filter(({ photo }) => photo.category !== null && photo.category !== category);
  }

  /** Marks the right photo for a drawing; one that is marked already is unmarked. @param {Sketch} sketch @param {PairPhoto} photo */
  choose(sketch, photo) {
    const before = this.#release(sketch.key);
    if (before?.photo_id !== photo.photo_id) this.#pairs = [...this.#pairs, { id: this.#nextId++, sketch, photo }];
  }

  /** Adds a photo that nobody drew yet. @param {PairPhoto} photo @returns {number} the id of its pair */
  add(photo) {
    this.#pairs = [...this.#pairs, { id: this.#nextId, sketch: null, photo }];
    return this.#nextId++;
  }

  /** Gives a photo that was added its drawing. @param {number} id of its pair @param {Sketch} sketch */
  draw(id, sketch) {
    this.#release(sketch.key);
    this.#pairs = this.#pairs.map((pair) => (pair.id === id ? { ...pair, sketch } : pair));
  }

  /** @param {number} id */
  remove(id) {
    this.#pairs = this.#pairs.filter((pair) => pair.id !== id);
  }

  /** @returns {StoredPair[]} all of it, as storage takes it */
  toStored() {
    return this.#pairs.map(({ sketch, photo }) => ({
      key: sketch?.key ?? null,
      png: sketch?.png ?? null,
      photo: { ...photo, url: photo.file ? "" : photo.url },
    }));
  }

  /** @param {StoredPair[]} stored @returns {Promise<SupportSet>} */
  static async fromStored(stored) {
    const support = new SupportSet();
    for (const { key, png, photo } of stored) {
      const id = support.add(photo.file ? { ...photo, url: URL.createObjectURL(photo.file) } : photo);
      if (key && png) support.draw(id, { key, drawing: await deserialise(key), png, url: URL.createObjectURL(png) });
    }
    return support;
  }

  /** Own photos are in the gallery now. @param {readonly string[]} photoIds those that are new there, in the order sent */
  uploaded(photoIds) {
    const own = this.#sent.filter(({ photo }) => photo.file && !photo.photo_id);
    if (own.length !== photoIds.length) return; // the gallery had some of them before: which is which is not known
    const ids = new Map(own.map((pair, index) => [pair.id, photoIds[index]]));
    this.#pairs = this.#pairs.map((pair) => {
      const photoId = ids.get(pair.id);
      return photoId ? { ...pair, photo: { ...pair.photo, photo_id: photoId } } : pair;
    });
  }

  /** @returns {import("../../api/adapters.js").Examples} each sketch with its photo; then the photos that nobody drew */
  toExamples() {
    return {
      pairs: this.#pairs.flatMap(({ sketch, photo }) => (sketch ? [[sketch.png, photoOf(photo)]] : [])),
      photos: this.#pairs.flatMap(({ sketch, photo }) => (sketch ? [] : [photoOf(photo)])),
    };
  }

  get #sent() {
    return [...this.drawn, ...this.#pairs.filter((pair) => !pair.sketch)];
  }

  /** @param {string} key @returns {Pair | undefined} */
  #pairOf(key) {
    return this.#pairs.find(({ sketch }) => sketch?.key === key);
  }

  /** A drawing loses its photo. Own photos stay: choosing those files again would be work. @param {string} key */
  #release(key) {
    const pair = this.#pairOf(key);
    if (pair?.photo.file) this.#pairs = this.#pairs.map((one) => (one === pair ? { ...pair, sketch: null } : one));
    else if (pair) this.remove(pair.id);
    return pair?.photo;
  }
}

/** @param {PairPhoto} photo @returns {string | File} its id in the gallery, or the file to upload */
function photoOf({ file, photo_id: photoId }) {
  return file ?? /** @type {string} */ (photoId);
}
