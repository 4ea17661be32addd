/** The results' side of the page: which of its states shows (empty, loading, results, a problem), in words too. */

import { showPicture } from "../api/picture.js";
import { Unreachable } from "../api/problem.js";
import { finder } from "../element.js";
import { Chips } from "./chips.js";
import { photoName } from "./photo_text.js";
import { inWhole, text } from "../texts.js";

/** An answer usually is faster than this; a bar that only flashes would be noise. */
const SHOW_PROGRESS_AFTER_MS = 200;
/** A screen reader hears the result of a drawing, not of each of its strokes. */
const ANNOUNCE_AFTER_MS = 700;
const SKELETONS = 12;
/** The drawing is not a query yet: a hint and not an error. */
const HINT_CODES = new Set(["sketch_empty", "sketch_solid"]);

/** @typedef {"empty" | "results" | "none" | "hint" | "problem"} State */

export class ResultsPanel {
  #root;
  #grid;
  #chips;
  #galleryCount;
  #find;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #progressTimer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #announceTimer;

  /**
   * @param {HTMLElement} root
   * @param {import("./grid.js").ResultsGrid} grid
   * @param {(categories: readonly string[]) => number | null} galleryCount how many photos the categories hold; null: not known
   * @param {{onRetry: () => void, onNarrow: (change: import("./chips.js").Change) => void}} listeners
   */
  constructor(root, grid, galleryCount, { onRetry, onNarrow }) {
    this.#root = root;
    this.#grid = grid;
    this.#galleryCount = galleryCount;
    this.#find = finder(root);
    this.#chips = new Chips(this.#find("chips"), onNarrow);
    this.#find("retry").addEventListener("click", onRetry);
  }

  /** There is no query. */
  showEmpty() {
    this.#settle("empty");
    this.#grid.render([]);
    this.#find("timing").textContent = "";
    this.#announce("");
  }

  /** The results are no longer those of the query, whose search was not sent yet. */
  markStale() {
    this.#root.setAttribute("aria-busy", "true");
  }

  showLoading() {
    this.markStale();
    clearTimeout(this.#progressTimer);
    this.#progressTimer = setTimeout(() => {
      this.#find("progress").hidden = false;
      if (this.#root.dataset.state === "empty") this.#showSkeletons();
    }, SHOW_PROGRESS_AFTER_MS);
  }

  /** @param {import("../api/client.js").Answer} answer @param {import("../api/client.js").Scope} scope */
  showAnswer(answer, scope) {
    const { categories } = scope;
    const { results, timings_ms: timings, adapter_id: adapterId, style_adapter_id: styleAdapterId } = answer;
    const doubtful = results.length > 0 && answer.no_good_match === true;
    this.#settle(results.length ? "results" : "none");
    this.#grid.render(results);
    this.#chips.render(results, scope);
    this.#find("score-note").hidden = categories.length !== 1 || Boolean(scope.focus) || results.length === 0;
    this.#find("no-match").hidden = !doubtful;
    this.#find("no-match-advice").textContent = text(categories.length ? "no_match.narrow" : "no_match.advice");
    this.#find("adapted").hidden = !adapterId && !styleAdapterId;
    this.#find("timing").textContent = timings.total ? this.#timingText(timings.total, categories) : "";
    this.#find("timing").title = Object.entries(timings).map(([stage, ms]) => `${stage} ${ms.toFixed(1)} ms`).join(", ");
    if (results.length) {
      const values = { count: results.length, name: photoName(results[0]), category: results[0].category };
      this.#announce(text(doubtful ? "results.announced_doubtful" : "results.announced", values));
    } else {
      this.#notice("search", text("results.none"), text("results.none.detail"), false);
    }
  }

  /**
   * @param {import("../api/problem.js").Problem | Unreachable} problem
   * @param {boolean} retries whether it is retried by itself
   * @param {readonly {label: string, onChoose: () => void}[]} offers what to do instead
   */
  showProblem(problem, retries, offers = []) {
    const hint = !(problem instanceof Unreachable) && HINT_CODES.has(problem.code);
    this.#settle(hint ? "hint" : "problem");
    if (problem instanceof Unreachable) {
      this.#notice("offline", text("unreachable"), `${problem.message} ${text("retried")}`, true);
    } else if (retries) {
      this.#notice("alert", problem.title, `${problem.message} ${text("retried")}`, true);
    } else {
      this.#notice(hint ? "pen" : "alert", hint ? text("results.keep_drawing") : problem.title, problem.message, !hint && offers.length === 0);
    }
    this.#find("notice-offers").replaceChildren(...offers.map(offerButton));
    this.#find("notice-offers").hidden = offers.length === 0;
  }

  /** @param {import("./search.js").QueryPhoto | null} like the photo that is the query; null: the drawing is */
  showBreadcrumb(like) {
    this.#find("breadcrumb").hidden = !like;
    this.#find("results-heading").textContent = text(like ? "photo.similar" : "results.heading");
    if (!like) return;
    const photo = this.#find("breadcrumb-photo", HTMLImageElement);
    this.#find("breadcrumb-name").textContent = like.name;
    photo.hidden = !like.thumbnail_url;
    showPicture(photo, like.thumbnail_url);
  }

  /**
   * Ends loading. Beside a problem the results before it stay, dimmed: they belong to nearly the same drawing.
   * @param {State} state
   */
  #settle(state) {
    clearTimeout(this.#progressTimer);
    this.#root.removeAttribute("aria-busy");
    this.#root.dataset.state = state;
    this.#find("adapted").hidden = true;
    this.#find("progress").hidden = true;
    this.#find("notice").hidden = true;
    this.#find("notice-offers").hidden = true;
    this.#find("chips").hidden = true;
    this.#find("score-note").hidden = true;
    this.#find("no-match").hidden = true;
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

  /** @param {string} icon of those in the notice @param {string} title @param {string} detail @param {boolean} canRetry */
  #notice(icon, title, detail, canRetry) {
    const icons = /** @type {NodeListOf<SVGElement>} */ (this.#find("notice").querySelectorAll("svg[data-icon]"));
    for (const one of icons) one.toggleAttribute("hidden", one.dataset.icon !== icon);
    this.#find("notice-title").textContent = title;
    this.#find("notice-detail").textContent = detail;
    this.#find("retry").hidden = !canRetry;
    this.#find("notice").hidden = false;
  }

  /** @param {number | undefined} totalMs @param {readonly string[]} categories @returns {string} */
  #timingText(totalMs, categories) {
    const photos = this.#galleryCount(categories);
    const ms = inWhole(Math.max(1, Math.round(totalMs ?? 0)));
    if (photos === null) return text("timing.unknown", { ms });
    return text("timing", { count: photos, ms });
  }

  /** @param {string} words for a screen reader */
  #announce(words) {
    clearTimeout(this.#announceTimer);
    this.#announceTimer = setTimeout(() => (this.#find("announcer").textContent = words), ANNOUNCE_AFTER_MS);
  }
}

/** @param {{label: string, onChoose: () => void}} offer @returns {HTMLElement} */
function offerButton({ label, onChoose }) {
  const button = Object.assign(document.createElement("button"), { type: "button", className: "chip", textContent: label });
  button.addEventListener("click", onChoose);
  return button;
}
