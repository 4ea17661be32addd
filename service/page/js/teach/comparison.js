/** Before and after, side by side: the same drawing searched without and with the adapter. */

import { Latest, STALE } from "../api/latest.js";
import { showPicture } from "../api/picture.js";
import { isBlank } from "../drawing/drawing.js";
import { toPng } from "../drawing/export.js";
import { instantiate, query } from "../element.js";
import { photoName } from "../results/photo_text.js";
import { text } from "../texts.js";

/** The first ranks are shown; down to the depth the right photo is looked for, to show its rank too. */
const SHOWN = 5;
const DEPTH = 200;
const PAUSE_MS = 300;

/** @typedef {import("../api/client.js").Hit} Hit */
/** @typedef {import("../api/client.js").Scope} Scope */
/** @typedef {import("../drawing/drawing.js").Drawing} Drawing */

export class Comparison {
  #root;
  #template = query(document, "#rank-template", HTMLTemplateElement);
  #client;
  #readDrawing;
  #rightPhoto;
  #latest = new Latest();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** @type {{before: Scope, after: Scope} | null} null: hidden */
  #scopes = null;

  /**
   * @param {HTMLElement} root
   * @param {import("../api/client.js").Client} client
   * @param {() => Drawing} readDrawing
   * @param {(drawing: Drawing) => import("./support/pair.js").PairPhoto | null} rightPhoto the one that was marked for a drawing
   */
  constructor(root, client, readDrawing, rightPhoto) {
    this.#root = root;
    this.#client = client;
    this.#readDrawing = readDrawing;
    this.#rightPhoto = rightPhoto;
  }

  /** @param {Omit<Scope, "k">} before @param {Omit<Scope, "k">} after */
  show(before, after) {
    this.#scopes = { before: { ...before, k: DEPTH }, after: { ...after, k: DEPTH } };
    return this.#update();
  }

  hide() {
    this.#scopes = null;
    this.#latest.cancel();
    clearTimeout(this.#timer);
    this.#root.hidden = true;
  }

  /** The drawing changed. */
  refreshSoon() {
    clearTimeout(this.#timer);
    if (this.#scopes) this.#timer = setTimeout(() => this.#update(), PAUSE_MS);
  }

  async #update() {
    const drawing = this.#readDrawing();
    const scopes = this.#scopes;
    this.#latest.cancel();
    this.#root.hidden = isBlank(drawing) || !scopes;
    if (isBlank(drawing) || !scopes) return;
    try {
      const answers = await this.#latest.run(async (signal) => {
        const png = await toPng(drawing);
        return Promise.all([this.#client.search(png, scopes.before, signal), this.#client.search(png, scopes.after, signal)]);
      });
      if (answers !== STALE) this.#render(answers[0].results, answers[1].results, this.#rightPhoto(drawing)?.photo_id ?? null);
    } catch {
      this.#root.hidden = true; // the results panel says what is wrong
    }
  }

  /** @param {Hit[]} before @param {Hit[]} after @param {string | null} rightId the id of the right photo */
  #render(before, after, rightId) {
    this.#fill(".before ol", before, rightId, null);
    this.#fill(".after ol", after, rightId, before);
  }

  /** @param {string} selector @param {Hit[]} hits @param {string | null} rightId @param {Hit[] | null} earlier ranks to compare with */
  #fill(selector, hits, rightId, earlier) {
    const shown = hits.filter((hit, index) => index < SHOWN || hit.photo_id === rightId);
    const rows = shown.map((hit) => this.#row(hit, hit.photo_id === rightId, earlier));
    query(this.#root, selector, HTMLElement).replaceChildren(...rows);
  }

  /** @param {Hit} hit @param {boolean} right @param {Hit[] | null} earlier */
  #row(hit, right, earlier) {
    const row = instantiate(this.#template);
    const part = (/** @type {string} */ name) => query(row, name, HTMLElement);
    row.classList.toggle("is-right", right);
    row.classList.toggle("is-further", hit.rank > SHOWN);
    showPicture(query(row, "img", HTMLImageElement), hit.thumbnail_url);
    part(".rank-number").textContent = String(hit.rank);
    part(".rank-name").textContent = photoName(hit);
    part(".rank-right").hidden = !right;
    const [arrow, spoken] = rankChange(hit, earlier);
    part(".rank-change").hidden = !arrow;
    part(".rank-change").classList.toggle("is-up", arrow.startsWith("↑"));
    part(".rank-change .arrow").textContent = arrow;
    part(".rank-change .hidden-text").textContent = spoken;
    return row;
  }
}

/** @param {Hit} hit @param {Hit[] | null} earlier @returns {[seen: string, heard: string]} by how many ranks it rose or fell */
export function rankChange(hit, earlier) {
  if (!earlier) return ["", ""];
  const before = earlier.find(({ photo_id }) => photo_id === hit.photo_id)?.rank;
  if (before === undefined) return ["↑", text("rank.was_further")];
  if (before === hit.rank) return ["", ""];
  const step = Math.abs(before - hit.rank);
  return before > hit.rank ? [`↑${step}`, text("rank.up", { count: step })] : [`↓${step}`, text("rank.down", { count: step })];
}
