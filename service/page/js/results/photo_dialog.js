/** The photo dialog: a result large, beside the query, with all that is known about it. */

import { Latest, STALE } from "../api/latest.js";
import { pictureUrl, showPicture } from "../api/picture.js";
import { finder } from "../element.js";
import { Modal } from "../modal.js";
import { Feedback } from "./feedback.js";
import { bindSwipe } from "./swipe.js";
import { confidenceText, fileName, photoName, scoreText } from "./photo_text.js";
import { text } from "../texts.js";

/** @typedef {import("../api/client.js").Hit} Hit */
/** @typedef {import("../api/client.js").Photo} Photo */

export class PhotoDialog {
  #modal;
  #find;
  #client;
  #latest = new Latest();
  /** @type {Hit[]} */
  #hits = [];
  #index = 0;

  /**
   * @param {HTMLElement} dialog
   * @param {import("../api/client.js").Client} client
   * @param {import("../navigation.js").Navigation} navigation
   * @param {{onSimilar: (hit: Hit) => void, onPick: (hit: Hit) => void, onClose: (index: number) => void}} listeners
   */
  constructor(dialog, client, navigation, { onSimilar, onPick, onClose }) {
    this.#find = finder(dialog);
    this.feedback = new Feedback(this.#find("photo-feedback"));
    this.#client = client;
    this.#modal = new Modal(dialog, navigation, () => {
      this.#latest.cancel();
      onClose(this.#index);
    });
    this.#find("photo-close").addEventListener("click", () => this.#modal.close());
    this.#find("photo-previous").addEventListener("click", () => this.#show(this.#index - 1));
    this.#find("photo-next").addEventListener("click", () => this.#show(this.#index + 1));
    this.#find("more-like-this").addEventListener("click", () => this.#closeWith(onSimilar, { forPage: true }));
    this.#find("photo-pick").addEventListener("click", () => this.#closeWith(onPick));
    bindSwipe(this.#find("photo-stage"), (step) => this.#show(this.#index + step));
    dialog.addEventListener("keydown", (event) => {
      if (event.key === "ArrowLeft") this.#show(this.#index - 1);
      if (event.key === "ArrowRight") this.#show(this.#index + 1);
    });
  }

  /**
   * @param {Hit[]} hits
   * @param {number} index
   * @param {{src: string, caption: string, sketch?: Blob}} query to compare the photo with; sketch: where it was drawn
   * @param {boolean} picking whether the photo can be marked as the right one
   */
  open(hits, index, query, picking) {
    this.#hits = hits;
    this.#find("photo-pick").hidden = !picking;
    this.feedback.begin(picking ? undefined : query.sketch);
    showPicture(this.#find("compare-image", HTMLImageElement), query.src);
    this.#find("compare-image").hidden = !query.src;
    this.#find("compare-caption").textContent = query.caption;
    this.#show(index);
    this.#modal.open();
  }

  /** @param {(hit: Hit) => void} listener gets the photo that was shown @param {{forPage?: boolean}} [options] of `Modal.close` */
  #closeWith(listener, options) {
    const hit = this.#hits[this.#index];
    this.#modal.close(options);
    listener(hit);
  }

  /** @param {number} index */
  async #show(index) {
    if (index < 0 || index >= this.#hits.length) return;
    this.#index = index;
    const hit = this.#hits[index];
    const name = photoName(hit);
    this.#find("photo-name").textContent = name;
    this.#find("photo-rank").textContent = text("photo.rank", { rank: index + 1, count: this.#hits.length });
    this.#find("photo-previous", HTMLButtonElement).disabled = index === 0;
    this.#find("photo-next", HTMLButtonElement).disabled = index === this.#hits.length - 1;
    this.#find("photo-download", HTMLAnchorElement).download = fileName(hit.photo_id);
    this.#showImage(hit, name);
    this.#showFacts(hit, {});
    this.feedback.show(hit);
    try {
      const photo = await this.#latest.run((signal) => this.#client.photo(hit.photo_id, signal));
      if (photo !== STALE) this.#showFacts(hit, photo);
    } catch {
      // The facts of the result itself are enough.
    }
  }

  /** Shows the thumbnail at once, and the photo itself when it is loaded. @param {Hit} hit @param {string} name */
  #showImage(hit, name) {
    const image = this.#find("photo-image", HTMLImageElement);
    showPicture(image, hit.thumbnail_url);
    image.alt = name;
    this.#showLarge(image, hit).catch(() => {}); // the thumbnail is better than nothing
  }

  /** @param {HTMLImageElement} image @param {Hit} hit */
  async #showLarge(image, hit) {
    const isShown = () => this.#hits[this.#index] === hit;
    const links = ["photo-open", "photo-download"].map((name) => this.#find(name, HTMLAnchorElement));
    for (const link of links) link.href = hit.image_url;
    const url = await pictureUrl(hit.image_url);
    if (isShown()) for (const link of links) link.href = url;
    const large = new Image();
    large.src = url;
    await large.decode();
    if (isShown()) showPicture(image, url);
  }

  /** @param {Hit} hit @param {Partial<Photo>} photo more about it, once that is known */
  #showFacts(hit, photo) {
    /** @type {[string, unknown][]} */
    const facts = [
      [text("fact.category"), hit.category],
      [text("fact.score"), scoreText(hit.score)],
      [text("fact.confidence"), confidenceText(hit.confidence)],
      [text("fact.matches"), hit.mirrored ? text("fact.mirrored") : null],
      [text("fact.alike"), hit.duplicates?.map((other) => photoName(other)).join(", ")],
      [text("fact.size"), photo.width ? `${photo.width} × ${photo.height} px` : null],
      [text("fact.id"), hit.photo_id],
      ...Object.entries(photo.metadata ?? hit.metadata ?? {}).filter(([key]) => key !== "name" && key !== "title"),
    ];
    const rows = facts
      .filter(([, value]) => value !== null && value !== undefined && value !== "")
      .map(([term, value]) => {
        const row = document.createElement("div");
        row.append(
          Object.assign(document.createElement("dt"), { textContent: String(term).replaceAll("_", " ") }),
          Object.assign(document.createElement("dd"), { textContent: typeof value === "object" ? JSON.stringify(value) : String(value) }),
        );
        return row;
      });
    this.#find("photo-facts").replaceChildren(...rows);
  }
}
