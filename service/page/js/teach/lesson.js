/**
 * A lesson: the photos that were collected to teach with, most of them with a drawing of them. A drawing has one right
 * photo; a photo may have several drawings.
 *
 * @typedef {{key: string, drawing: import("../drawing.js").Drawing, png: Blob, url: string}} Snapshot   a drawing as it was
 * @typedef {{photo_id: string | null, file: File | null, name: string, category: string | null, url: string}} LessonPhoto
 *   a photo of the gallery (photo_id) or one's own (file), which is in the gallery too once it was taught
 * @typedef {{id: number, sketch: Snapshot | null, photo: LessonPhoto}} Pair   sketch null: nobody drew that photo yet
 */

import { toPng } from "../drawing.js";
import { photoName } from "../results.js";
import { deserialise, serialise } from "../session.js";

/** @param {import("../drawing.js").Drawing} drawing @returns {string} equal for equal drawings, also after a reload */
export function drawingKey(drawing) {
  return serialise(drawing);
}

/** @param {import("../drawing.js").Drawing} drawing @returns {Promise<Snapshot>} what a search for it would send */
export async function snapshot(drawing) {
  const png = await toPng(drawing);
  return { key: drawingKey(drawing), drawing, png, url: URL.createObjectURL(png) };
}

/** @param {import("../search.js").Hit} hit @returns {LessonPhoto} */
export function galleryPhoto(hit) {
  return { photo_id: hit.photo_id, file: null, name: photoName(hit), category: hit.category, url: hit.thumbnail_url };
}

/** @param {File} file @returns {LessonPhoto} */
export function ownPhoto(file) {
  return { photo_id: null, file, name: photoName({ photo_id: file.name }), category: null, url: URL.createObjectURL(file) };
}

export class Lesson {
  /** @type {Pair[]} */
  #pairs = [];
  #nextId = 1;

  /** @returns {readonly Pair[]} in the order of collecting */
  get pairs() {
    return this.#pairs;
  }

  /** @returns {readonly Pair[]} those that teach */
  get drawn() {
    return this.#pairs.filter(({ sketch }) => sketch);
  }

  /** @param {string} key of a drawing @returns {LessonPhoto | null} the photo that was chosen for it */
  answerTo(key) {
    return this.#pairOf(key)?.photo ?? null;
  }

  /** @param {string} category @returns {Pair[]} whose photo is of another category of the gallery */
  foreignTo(category) {
    return this.#pairs.filter(({ photo }) => photo.category !== null && photo.category !== category);
  }

  /** The right photo for a drawing; chosen already, it is no longer. @param {Snapshot} sketch @param {LessonPhoto} photo */
  choose(sketch, photo) {
    const before = this.#release(sketch.key);
    if (before?.photo_id !== photo.photo_id) this.#pairs = [...this.#pairs, { id: this.#nextId++, sketch, photo }];
  }

  /** A photo that nobody drew yet. @param {LessonPhoto} photo */
  add(photo) {
    this.#pairs = [...this.#pairs, { id: this.#nextId++, sketch: null, photo }];
  }

  /** The drawing is one of a photo that was added. @param {number} id of its pair @param {Snapshot} sketch */
  draw(id, sketch) {
    this.#release(sketch.key);
    this.#pairs = this.#pairs.map((pair) => (pair.id === id ? { ...pair, sketch } : pair));
  }

  /** @param {number} id */
  remove(id) {
    this.#pairs = this.#pairs.filter((pair) => pair.id !== id);
  }

  /** @returns {object} all of it, as storage takes it */
  toStored() {
    return this.#pairs.map(({ sketch, photo }) => ({ key: sketch?.key, png: sketch?.png, photo: { ...photo, url: photo.file ? "" : photo.url } }));
  }

  /** @param {ReturnType<Lesson["toStored"]>} stored @returns {Promise<Lesson>} */
  static async fromStored(stored) {
    const lesson = new Lesson();
    for (const { key, png, photo } of stored) {
      lesson.add(photo.file ? { ...photo, url: URL.createObjectURL(photo.file) } : photo);
      if (!key) continue;
      const sketch = { key, drawing: await deserialise(key), png, url: URL.createObjectURL(png) };
      lesson.draw(lesson.pairs.at(-1).id, sketch);
    }
    return lesson;
  }

  /** One's own photos are in the gallery now. @param {readonly string[]} photoIds those that are new there, in the order sent */
  taught(photoIds) {
    const own = this.#sent.filter(({ photo }) => photo.file && !photo.photo_id);
    if (own.length !== photoIds.length) return; // the gallery had some of them before: which is which cannot be told
    const ids = new Map(own.map((pair, index) => [pair, photoIds[index]]));
    this.#pairs = this.#pairs.map((pair) => (ids.has(pair) ? { ...pair, photo: { ...pair.photo, photo_id: ids.get(pair) } } : pair));
  }

  /** As the service takes it: each sketch with its photo, in order; then the photos that nobody drew. @returns {FormData} */
  toForm() {
    const form = new FormData();
    for (const { sketch, photo } of this.#sent) {
      if (sketch) form.append("sketch", sketch.png, "drawing.png");
      if (photo.file) form.append("photo", photo.file, photo.file.name);
      else form.append("photo_id", photo.photo_id);
    }
    return form;
  }

  get #sent() {
    return [...this.drawn, ...this.#pairs.filter((pair) => !pair.sketch)];
  }

  #pairOf(key) {
    return this.#pairs.find(({ sketch }) => sketch?.key === key);
  }

  /** A drawing loses its photo. One's own photos stay: choosing those files again would be work. */
  #release(key) {
    const pair = this.#pairOf(key);
    if (pair?.photo.file) this.#pairs = this.#pairs.map((one) => (one === pair ? { ...pair, sketch: null } : one));
    else if (pair) this.remove(pair.id);
    return pair?.photo;
  }
}
