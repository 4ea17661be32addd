/** The photos that the model finds most alike to one: of an id that is typed, or of a photo that is pressed. */

import { Client } from "../api/client.js";
import { Latest, STALE } from "../api/latest.js";
import { showPicture } from "../api/picture.js";
import { finder } from "../element.js";
import { inHundredths, text } from "../texts.js";
import { make } from "./elements.js";
import { Panel } from "./panel.js";

const SHOWN = 12;

/** @typedef {{photo_id: string, thumbnail_url: string, note: string, isQuery?: boolean}} Thumb */

export class NeighboursPanel {
  #find;
  #service;
  #client = new Client();
  #latest = new Latest();
  #photoId = "";

  /** @param {HTMLElement} root @param {import("../api/service.js").Service} service */
  constructor(root, service) {
    this.#find = finder(root, "neighbours-");
    this.#service = service;
    this.panel = new Panel(root, () => this.#look(), { scope: "search" });
    this.#find("form", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      this.#show(this.#input.value.trim());
    });
  }

  get #input() {
    return this.#find("id", HTMLInputElement);
  }

  /** @param {string} photoId */
  #show(photoId) {
    this.#photoId = photoId;
    this.#input.value = photoId;
    void this.panel.refresh();
  }

  async #look() {
    const thumbs = await this.#latest.run((signal) => (this.#photoId ? this.#neighbours(this.#photoId, signal) : this.#first()));
    if (thumbs === STALE) return;
    const focused = this.#find("list").contains(document.activeElement);
    this.#find("list").replaceChildren(...thumbs.map((thumb) => this.#element(thumb)));
    if (focused) this.#find("list").querySelector("button")?.focus({ preventScroll: true });
  }

  /** @returns {Promise<Thumb[]>} photos to begin with */
  async #first() {
    const photos = await this.#service.firstPhotos(SHOWN);
    return photos.map((photo) => ({ ...photo, note: "" }));
  }

  /** @param {string} photoId @param {AbortSignal} signal @returns {Promise<Thumb[]>} the photo itself, then those like it */
  async #neighbours(photoId, signal) {
    const [photo, { results }] = await Promise.all([this.#client.photo(photoId, signal), this.#client.similar(photoId, { k: SHOWN, categories: [] }, signal)]);
    const own = { photo_id: photoId, thumbnail_url: photo.thumbnail_url, note: text("admin.neighbours.own"), isQuery: true };
    return [own, ...results.map((hit) => ({ photo_id: hit.photo_id, thumbnail_url: hit.thumbnail_url, note: inHundredths(hit.score) }))];
  }

  /** @param {Thumb} thumb @returns {HTMLElement} */
  #element({ photo_id: id, thumbnail_url: url, note, isQuery = false }) {
    const item = make("li");
    const thumb = make("button", isQuery ? "thumb is-query" : "thumb");
    thumb.type = "button";
    if (isQuery) thumb.setAttribute("aria-current", "true");
    thumb.setAttribute("aria-label", text("admin.neighbours.of", { id, note }));
    const image = make("img");
    image.alt = "";
    image.width = image.height = 128;
    showPicture(image, url);
    thumb.append(image, make("span", "", note ? `${id} · ${note}` : id));
    thumb.addEventListener("click", () => this.#show(id));
    item.append(thumb);
    return item;
  }
}
