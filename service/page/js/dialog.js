/** The photo dialog: a result large, beside the drawing, with all that is known about it. */

import { photoName, scoreText } from "./results.js";
import { Latest, STALE } from "./search.js";

/** @typedef {import("./search.js").Hit} Hit */

export class PhotoDialog {
  #dialog;
  #client;
  #latest = new Latest();
  /** @type {Hit[]} */
  #hits = [];
  #index = 0;
  #onClose;

  /**
   * @param {HTMLDialogElement} dialog
   * @param {import("./search.js").Client} client
   * @param {{onSimilar: (hit: Hit) => void, onPick: (hit: Hit) => void, onClose: (index: number) => void}} listeners
   */
  constructor(dialog, client, { onSimilar, onPick, onClose }) {
    this.#dialog = dialog;
    this.#client = client;
    this.#onClose = onClose;
    this.#find("photo-close").addEventListener("click", () => dialog.close());
    this.#find("photo-previous").addEventListener("click", () => this.#show(this.#index - 1));
    this.#find("photo-next").addEventListener("click", () => this.#show(this.#index + 1));
    for (const [id, listener] of [["more-like-this", onSimilar], ["photo-pick", onPick]]) {
      this.#find(id).addEventListener("click", () => {
        const hit = this.#hits[this.#index];
        dialog.close();
        listener(hit);
      });
    }
    dialog.addEventListener("close", () => {
      this.#latest.cancel();
      this.#onClose(this.#index);
    });
    // The dialog has no padding of its own: a click on the element itself is one on the backdrop.
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
    dialog.addEventListener("keydown", (event) => {
      if (event.key === "ArrowLeft") this.#show(this.#index - 1);
      if (event.key === "ArrowRight") this.#show(this.#index + 1);
    });
  }

  /**
   * @param {Hit[]} hits
   * @param {number} index
   * @param {{src: string, caption: string}} question what was looked for, to compare with
   * @param {boolean} picking whether the photo can be marked as the right one
   */
  open(hits, index, question, picking) {
    this.#hits = hits;
    this.#find("photo-pick").hidden = !picking;
    this.#find("compare-image").src = question.src;
    this.#find("compare-caption").textContent = question.caption;
    this.#dialog.showModal();
    this.#show(index);
  }

  async #show(index) {
    if (index < 0 || index >= this.#hits.length) return;
    this.#index = index;
    const hit = this.#hits[index];
    const name = photoName(hit);
    this.#find("photo-name").textContent = name;
    this.#find("photo-rank").textContent = `Result ${index + 1} of ${this.#hits.length}`;
    this.#find("photo-previous").disabled = index === 0;
    this.#find("photo-next").disabled = index === this.#hits.length - 1;
    this.#find("photo-open").href = this.#find("photo-download").href = hit.image_url;
    this.#find("photo-download").download = hit.photo_id.split("/").at(-1);
    this.#showImage(hit, name);
    this.#showFacts(hit, {});
    const photo = await this.#latest.run((signal) => this.#client.photo(hit.photo_id, signal)).catch(() => STALE);
    if (photo !== STALE) this.#showFacts(hit, photo);
  }

  /** The thumbnail is there at once; the photo takes its place when it has come, should it come. */
  #showImage(hit, name) {
    const image = this.#find("photo-image");
    image.src = hit.thumbnail_url;
    image.alt = name;
    const large = new Image();
    large.src = hit.image_url;
    large.decode().then(
      () => {
        if (this.#hits[this.#index] === hit) image.src = large.src;
      },
      () => {},
    );
  }

  #showFacts(hit, photo) {
    const facts = [
      ["Category", hit.category],
      ["Score", scoreText(hit.score)],
      ["Size", photo.width ? `${photo.width} × ${photo.height} px` : null],
      ["Photo id", hit.photo_id],
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

  #find(id) {
    return this.#dialog.querySelector(`#${id}`);
  }
}
