/** All that a category (or a drawing style) was taught, newest first: each version can be used again, or deleted. */

const when = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "short" });
/** A second press within this time deletes; it cannot be undone. */
const CONFIRM_MS = 5000;

/** @typedef {import("./heads.js").Head} Head */

export class Versions {
  #root;
  #template;
  #listeners;

  /**
   * @param {HTMLDetailsElement} root
   * @param {HTMLTemplateElement} template of one version
   * @param {{onUse: (head: Head) => void, onDelete: (head: Head, options: {photos: boolean}) => void}} listeners photos: those
   *   too that came with it
   */
  constructor(root, template, listeners) {
    this.#root = root;
    this.#template = template;
    this.#listeners = listeners;
  }

  /** @param {readonly Head[]} heads @param {string | null} live the one in use */
  render(heads, live) {
    const newestFirst = [...heads].sort((a, b) => b.version - a.version);
    const inUse = newestFirst.find(({ head_id }) => head_id === live);
    this.#root.hidden = heads.length === 0;
    this.#root.querySelector(".versions-summary").textContent = inUse
      ? `Taught so far: version ${inUse.version} is in use`
      : "Taught so far: nothing of it is in use";
    this.#root.querySelector("ul").replaceChildren(...newestFirst.map((head) => this.#row(head, head === inUse)));
  }

  /** @param {Head} head @param {boolean} live */
  #row(head, live) {
    const { before, after } = head.leave_one_out;
    const row = this.#template.content.firstElementChild.cloneNode(true);
    const name = `version ${head.version}`;
    const write = (selector, text) => (row.querySelector(selector).textContent = text);
    write(".version-name", `Version ${head.version}`);
    write(".version-state", live ? "In use" : head.state === "stale" ? "For another model" : "");
    write(
      ".version-facts",
      `${head.k} ${head.k === 1 ? "drawing" : "drawings"}, right photo on place ${before.mean_rank.toFixed(1)} → ${after.mean_rank.toFixed(1)}, ${when.format(new Date(head.created_at))}`,
    );
    row.classList.toggle("is-live", live);
    const use = row.querySelector(".version-use");
    use.hidden = live || head.state === "stale";
    use.querySelector(".hidden-text").textContent = ` ${name}`;
    use.addEventListener("click", () => this.#listeners.onUse(head));
    this.#bindDelete(row, name, head);
    return row;
  }

  /** The first press asks, the second one deletes. */
  #bindDelete(row, name, head) {
    const button = row.querySelector(".version-delete");
    const withPhotos = row.querySelector(".version-delete-photos");
    const photos = head.photos_added.length;
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
    button.addEventListener("click", () => (timer ? this.#listeners.onDelete(head, { photos: false }) : ask(true)));
    withPhotos.addEventListener("click", () => this.#listeners.onDelete(head, { photos: true }));
  }
}
