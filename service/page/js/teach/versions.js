/** All that a category (or a drawing style) was taught, newest first: each version can be used again, or deleted. */

const when = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "short" });
/** A second press within this time deletes; it cannot be undone. */
const CONFIRM_MS = 5000;

/** @typedef {import("./adapters.js").Adapter} Adapter */

export class Versions {
  #root;
  #template;
  #listeners;

  /**
   * @param {HTMLDetailsElement} root
   * @param {HTMLTemplateElement} template of one version
   * @param {{onUse: (adapter: Adapter) => void, onDelete: (adapter: Adapter, options: {photos: boolean}) => void}} listeners photos: those
   *   too that came with it
   */
  constructor(root, template, listeners) {
    this.#root = root;
    this.#template = template;
    this.#listeners = listeners;
  }

  /** @param {readonly Adapter[]} adapters @param {string | null} active the one in use */
  render(adapters, active) {
    const newestFirst = [...adapters].sort((a, b) => b.version - a.version);
    const inUse = newestFirst.find(({ adapter_id }) => adapter_id === active);
    this.#root.hidden = adapters.length === 0;
    this.#root.querySelector(".versions-summary").textContent = inUse
      ? `Taught so far: version ${inUse.version} is in use`
      : "Taught so far: nothing of it is in use";
    this.#root.querySelector("ul").replaceChildren(...newestFirst.map((adapter) => this.#row(adapter, adapter === inUse)));
  }

  /** @param {Adapter} adapter @param {boolean} active */
  #row(adapter, active) {
    const { before, after } = adapter.leave_one_out;
    const row = this.#template.content.firstElementChild.cloneNode(true);
    const name = `version ${adapter.version}`;
    const write = (selector, text) => (row.querySelector(selector).textContent = text);
    write(".version-name", `Version ${adapter.version}`);
    write(".version-state", active ? "In use" : adapter.state === "stale" ? "For another model" : "");
    write(
      ".version-facts",
      `${adapter.k} ${adapter.k === 1 ? "drawing" : "drawings"}, right photo on place ${before.mean_rank.toFixed(1)} → ${after.mean_rank.toFixed(1)}, ${when.format(new Date(adapter.created_at))}`,
    );
    row.classList.toggle("is-active", active);
    const use = row.querySelector(".version-use");
    use.hidden = active || adapter.state === "stale";
    use.querySelector(".hidden-text").textContent = ` ${name}`;
    use.addEventListener("click", () => this.#listeners.onUse(adapter));
    this.#bindDelete(row, name, adapter);
    return row;
  }

  /** The first press asks, the second one deletes. */
  #bindDelete(row, name, adapter) {
    const button = row.querySelector(".version-delete");
    const withPhotos = row.querySelector(".version-delete-photos");
    const photos = adapter.photos_added.length;
    let timer = 0;
    const ask = (asking) => {
      clearTimeout(timer);
      timer = asking ? setTimeout(() => ask(false), CONFIRM_MS) : 0;
      button.textContent = asking ? "Really delete" : "Delete";
      button.setAttribute("aria-label", `${button.textContent} ${name}`);
      withPhotos.hidden = !asking || photos === 0;
    };
    ask(false);
    withPhotos.textContent = photos === 1 ? "Delete it and its photo" : `Delete it and its ${photos} photos`;
    button.addEventListener("click", () => (timer ? this.#listeners.onDelete(adapter, { photos: false }) : ask(true)));
    withPhotos.addEventListener("click", () => this.#listeners.onDelete(adapter, { photos: true }));
  }
}
