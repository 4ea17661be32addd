/** The results' side of the page: which of its states shows (empty, loading, results, a problem), in words too. */

import { photoName } from "./results.js";
import { Unreachable } from "./search.js";

/** An answer usually is faster than this; a bar that only flashes would be noise. */
const SHOW_PROGRESS_AFTER_MS = 200;
/** A screen reader hears the result of a drawing, not of each of its strokes. */
const ANNOUNCE_AFTER_MS = 700;
const SKELETONS = 12;
/** The drawing is not a query yet: a hint and not an error. */
const HINT_CODES = new Set(["sketch_empty", "sketch_solid"]);

const count = new Intl.NumberFormat("en");

export class ResultsPanel {
  #root;
  #grid;
  #galleryCount;
  #progressTimer = 0;
  #announceTimer = 0;

  /**
   * @param {HTMLElement} root
   * @param {import("./results.js").ResultsGrid} grid
   * @param {(categories: readonly string[]) => number | null} galleryCount how many photos the categories hold; null: not known
   * @param {() => void} onRetry
   */
  constructor(root, grid, galleryCount, onRetry) {
    this.#root = root;
    this.#grid = grid;
    this.#galleryCount = galleryCount;
    this.#find("retry").addEventListener("click", onRetry);
  }

  /** Nothing is asked. */
  showEmpty() {
    this.#settle("empty");
    this.#grid.render([]);
    this.#find("timing").textContent = "";
    this.#announce("");
  }

  /** The results are no longer those of the question, and its own are not asked for yet. */
  markStale() {
    this.#root.setAttribute("aria-busy", "true");
  }

  showLoading() {
    this.markStale();
    clearTimeout(this.#progressTimer);
    this.#progressTimer = setTimeout(() => {
      this.#find("progress").hidden = false;
      if (this.#state === "empty") this.#showSkeletons();
    }, SHOW_PROGRESS_AFTER_MS);
  }

  /** @param {import("./search.js").Answer} answer @param {import("./search.js").Scope} scope */
  showAnswer({ results, timings_ms: timings, adapter_id: adapterId, style_adapter_id: styleAdapterId }, { categories }) {
    this.#settle(results.length ? "results" : "none");
    this.#grid.render(results);
    this.#find("as-taught").hidden = !adapterId && !styleAdapterId;
    this.#find("timing").textContent = this.#timingText(timings, categories);
    this.#find("timing").title = Object.entries(timings ?? {}).map(([stage, ms]) => `${stage} ${ms.toFixed(1)} ms`).join(", ");
    if (results.length) {
      const noun = results.length === 1 ? "result" : "results";
      this.#announce(`${results.length} ${noun}, best: ${photoName(results[0])} in ${results[0].category}`);
    } else {
      this.#notice("search", "No photo matches", "Nothing in the gallery fits these conditions. Try more categories.", false);
    }
  }

  /** @param {import("./search.js").Problem | Unreachable} problem @param {boolean} retries whether it is tried again by itself */
  showProblem(problem, retries) {
    const hint = HINT_CODES.has(problem.code);
    this.#settle(hint ? "hint" : "problem");
    if (problem instanceof Unreachable) {
      this.#notice("offline", "No connection", `${problem.message} Trying again by itself.`, true);
    } else if (retries) {
      this.#notice("alert", problem.title, `${problem.message} Trying again by itself.`, true);
    } else {
      this.#notice(hint ? "pen" : "alert", hint ? "Keep drawing" : problem.title, problem.message, !hint);
    }
  }

  /** @param {import("./finder.js").LikePhoto | null} like the photo whose like is shown; null: the drawing's results */
  showBreadcrumb(like) {
    this.#find("breadcrumb").hidden = !like;
    this.#find("results-heading").textContent = like ? "More like this" : "Photos";
    if (!like) return;
    this.#find("breadcrumb-name").textContent = like.name;
    this.#find("breadcrumb-photo").hidden = !like.thumbnail_url;
    this.#find("breadcrumb-photo").src = like.thumbnail_url;
  }

  get #state() {
    return this.#root.dataset.state ?? "empty";
  }

  /** Ends loading. Beside a problem the results before it stay, dimmed: they belong to nearly the same drawing. */
  #settle(state) {
    clearTimeout(this.#progressTimer);
    this.#root.removeAttribute("aria-busy");
    this.#root.dataset.state = state;
    this.#find("as-taught").hidden = true;
    this.#find("progress").hidden = true;
    this.#find("notice").hidden = true;
    this.#find("empty").hidden = state !== "empty";
    const grid = this.#find("grid");
    if (grid.classList.contains("is-skeleton")) grid.replaceChildren();
    grid.classList.remove("is-skeleton");
    grid.hidden = state === "empty" || state === "none" || (state !== "results" && grid.children.length === 0);
  }

  #showSkeletons() {
    this.#find("empty").hidden = true;
    const cells = Array.from({ length: SKELETONS }, () => Object.assign(document.createElement("li"), { className: "cell skeleton" }));
    const grid = this.#find("grid");
    grid.replaceChildren(...cells);
    grid.classList.add("is-skeleton");
    grid.hidden = false;
  }

  #notice(icon, title, detail, canRetry) {
    for (const one of this.#find("notice").querySelectorAll("[data-icon]")) one.toggleAttribute("hidden", one.dataset.icon !== icon);
    this.#find("notice-title").textContent = title;
    this.#find("notice-detail").textContent = detail;
    this.#find("retry").hidden = !canRetry;
    this.#find("notice").hidden = false;
  }

  #timingText(timings, categories) {
    const photos = this.#galleryCount(categories);
    const searched = photos === null ? "Searched" : `Searched ${count.format(photos)} ${photos === 1 ? "photo" : "photos"}`;
    return timings?.total === undefined ? searched : `${searched} in ${Math.max(1, Math.round(timings.total))} ms`;
  }

  #announce(text) {
    clearTimeout(this.#announceTimer);
    this.#announceTimer = setTimeout(() => (this.#find("announcer").textContent = text), ANNOUNCE_AFTER_MS);
  }

  #find(id) {
    return this.#root.querySelector(`#${id}`);
  }
}
