/** The adapters of a category or a drawing style, newest first: each version can be activated again, or deleted. */

import { instantiate, query } from "../element.js";
import { LANGUAGE, inTenths, text } from "../texts.js";

const when = new Intl.DateTimeFormat(LANGUAGE, { dateStyle: "medium", timeStyle: "short" });
/** A second press within this time deletes, which cannot be undone. */
const CONFIRM_MS = 5000;

/** @typedef {import("../api/adapters.js").Adapter} Adapter */

export class Versions {
  #root;
  #template = query(document, "#version-template", HTMLTemplateElement);
  #listeners;

  /**
   * @param {HTMLElement} root
   * @param {{onActivate: (adapter: Adapter) => void, onDelete: (adapter: Adapter, options: {photos: boolean}) => void}} listeners
   *   photos: also those uploaded with it
   */
  constructor(root, listeners) {
    this.#root = root;
    this.#listeners = listeners;
  }

  /** @param {readonly Adapter[]} adapters @param {string | null} activeId of the active one */
  render(adapters, activeId) {
    const newestFirst = [...adapters].sort((a, b) => b.version - a.version);
    const active = newestFirst.find(({ adapter_id: id }) => id === activeId);
    this.#root.hidden = adapters.length === 0;
    query(this.#root, ".versions-summary", HTMLElement).textContent = active
      ? text("versions.active", { version: active.version })
      : text("versions.none");
    query(this.#root, "ul", HTMLElement).replaceChildren(...newestFirst.map((adapter) => this.#row(adapter, adapter === active)));
  }

  /** @param {Adapter} adapter @param {boolean} active @returns {HTMLElement} */
  #row(adapter, active) {
    const { before, after } = adapter.leave_one_out;
    const row = instantiate(this.#template);
    const ranks = { before: inTenths(before.mean_rank), after: inTenths(after.mean_rank) };
    const created = when.format(new Date(adapter.created_at));
    query(row, ".version-name", HTMLElement).textContent = text("version.name", { version: adapter.version });
    query(row, ".version-state", HTMLElement).textContent = active ? text("version.active") : adapter.state === "stale" ? text("version.stale") : "";
    query(row, ".version-facts", HTMLElement).textContent = text("version.facts", { count: adapter.k, created, ...ranks });
    row.classList.toggle("is-active", active);
    const activate = query(row, ".version-activate", HTMLElement);
    activate.hidden = active || adapter.state === "stale";
    query(activate, ".hidden-text", HTMLElement).textContent = ` ${text("version", { version: adapter.version })}`;
    activate.addEventListener("click", () => this.#listeners.onActivate(adapter));
    this.#bindDelete(row, adapter);
    return row;
  }

  /** The first press asks, the second one deletes. @param {HTMLElement} row @param {Adapter} adapter */
  #bindDelete(row, adapter) {
    const button = query(row, ".version-delete", HTMLElement);
    const withPhotos = query(row, ".version-delete-photos", HTMLElement);
    const photos = adapter.photos_added.length;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let timer;
    const ask = (/** @type {boolean} */ asking) => {
      clearTimeout(timer);
      timer = asking ? setTimeout(() => ask(false), CONFIRM_MS) : undefined;
      button.textContent = text(asking ? "version.delete_really" : "version.delete");
      button.setAttribute("aria-label", text(asking ? "version.delete_really_label" : "version.delete_label", { version: adapter.version }));
      withPhotos.hidden = !asking || photos === 0;
    };
    ask(false);
    withPhotos.textContent = text("version.delete_photos", { count: photos });
    button.addEventListener("click", () => (timer ? this.#listeners.onDelete(adapter, { photos: false }) : ask(true)));
    withPhotos.addEventListener("click", () => this.#listeners.onDelete(adapter, { photos: true }));
  }
}
