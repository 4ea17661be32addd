/** Before and after, side by side: the same drawing searched without and with what was taught. */

import { isBlank, toPng } from "../drawing.js";
import { photoName } from "../results.js";
import { Latest, STALE } from "../search.js";

/** The first places are shown; so far down the right photo is still looked for, to show its place too. */
const PLACES = 5;
const DEPTH = 200;
const PAUSE_MS = 300;

/** @typedef {import("../search.js").Hit} Hit */
/** @typedef {import("../search.js").Scope} Scope */

export class Comparison {
  #root;
  #template;
  #client;
  #readDrawing;
  #answerTo;
  #latest = new Latest();
  #timer = 0;
  /** @type {{before: Scope, after: Scope} | null} */
  #scopes = null;

  /**
   * @param {HTMLElement} root
   * @param {HTMLTemplateElement} template of one place
   * @param {import("../search.js").Client} client
   * @param {() => import("../drawing.js").Drawing} readDrawing
   * @param {(drawing: import("../drawing.js").Drawing) => import("./lesson.js").LessonPhoto | null} answerTo the photo that is right for a drawing, if known
   */
  constructor(root, template, client, readDrawing, answerTo) {
    this.#root = root;
    this.#template = template;
    this.#client = client;
    this.#readDrawing = readDrawing;
    this.#answerTo = answerTo;
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

  /** The drawing is another one. */
  refreshSoon() {
    clearTimeout(this.#timer);
    if (this.#scopes) this.#timer = setTimeout(() => this.#update(), PAUSE_MS);
  }

  async #update() {
    const drawing = this.#readDrawing();
    this.#latest.cancel();
    this.#root.hidden = isBlank(drawing);
    if (this.#root.hidden) return;
    const { before, after } = this.#scopes;
    try {
      const answers = await this.#latest.run(async (signal) => {
        const png = await toPng(drawing);
        return Promise.all([before, after].map((scope) => this.#client.search(png, scope, signal)));
      });
      if (answers !== STALE) this.#render(answers.map(({ results }) => results), this.#answerTo(drawing));
    } catch {
      this.#root.hidden = true; // the results beside it say what is wrong
    }
  }

  /** @param {[Hit[], Hit[]]} results before, after @param {import("./lesson.js").LessonPhoto | null} right */
  #render([before, after], right) {
    const isRight = (hit) => right !== null && hit.photo_id === right.photo_id;
    const fill = (selector, hits, old) => {
      const shown = hits.filter((hit, index) => index < PLACES || isRight(hit));
      this.#root.querySelector(selector).replaceChildren(...shown.map((hit) => this.#place(hit, isRight(hit), old)));
    };
    fill(".before ol", before, null);
    fill(".after ol", after, before);
  }

  /** @param {Hit} hit @param {boolean} right @param {Hit[] | null} old the places before, to tell how far it moved */
  #place(hit, right, old) {
    const place = this.#template.content.firstElementChild.cloneNode(true);
    place.classList.toggle("is-right", right);
    place.querySelector("img").src = hit.thumbnail_url;
    place.classList.toggle("is-further", hit.rank > PLACES);
    place.querySelector(".place-rank").textContent = String(hit.rank);
    place.querySelector(".place-name").textContent = photoName(hit);
    place.querySelector(".place-right").hidden = !right;
    const [move, spoken] = movement(hit, old);
    const moved = place.querySelector(".place-move");
    moved.hidden = !move;
    moved.querySelector(".arrow").textContent = move;
    moved.querySelector(".hidden-text").textContent = spoken;
    moved.classList.toggle("is-up", move.startsWith("↑"));
    return place;
  }
}

/** @param {Hit} hit @param {Hit[] | null} old @returns {[string, string]} how far it moved, to see and to hear */
export function movement(hit, old) {
  if (!old) return ["", ""];
  const was = old.find(({ photo_id }) => photo_id === hit.photo_id)?.rank;
  if (was === undefined) return ["↑", ", was further down"];
  if (was === hit.rank) return ["", ""];
  const step = Math.abs(was - hit.rank);
  return was > hit.rank ? [`↑${step}`, `, up ${step}`] : [`↓${step}`, `, down ${step}`];
}
