/** The panel "Teach it": what it is for, the collected pairs, what to do next, and the results. */

import { Problem } from "../api/problem.js";
import { isBlank } from "../drawing/drawing.js";
import { finder } from "../element.js";
import { PHONE } from "../layout.js";
import { Adaptation } from "./adaptation.js";
import { Collector } from "./support/collector.js";
import { nextStep } from "./messages.js";
import { Notice } from "./notice.js";
import { PairList } from "./support/pair_list.js";
import { TargetChoice } from "./target_choice.js";
import { text } from "../texts.js";

/** Where the service says which examples are wrong: "sketch.0", "photo_id.3", counted as they were sent. */
const EXAMPLE_FIELD = /^(?:sketch|photo_id)\.(\d+)$/;

/** @typedef {import("../api/adapters.js").Target} Target */
/** @typedef {import("../drawing/drawing.js").Drawing} Drawing */
/** @typedef {import("./support/pair.js").Pair} Pair */
/**
 * @typedef {{readDrawing: () => Drawing, readCategories: () => readonly string[], onShow: (drawing: Drawing) => void,
 *   onNext: () => void, onNarrow: (categories: string[]) => void, onPicking: (on: boolean, photoId: string | null) => void,
 *   onAdapted: () => Promise<void>}} TeachingPage   onShow: a drawing is to be on the board; onNext: the board is to be empty;
 *   onNarrow: only these categories are to be searched; onPicking: whether photos can be marked, and which one is;
 *   onAdapted: searches are answered differently now
 */

export class TeachPanel {
  #root;
  #button;
  #find;
  #styles;
  #page;
  #choice;
  #collector;
  #pairs;
  #notice;
  #adaptation;
  #navigation;
  #hide = () => this.close();
  /** @type {readonly Pair[]} those that the service rejected */
  #rejected = [];

  /**
   * @param {HTMLElement} root
   * @param {HTMLElement} button opens and closes it
   * @param {{client: import("../api/client.js").Client, adapters: import("../api/adapters.js").Adapters,
   *   styles: import("./style_choice.js").StyleChoice}} service
   * @param {import("../navigation.js").Navigation} navigation
   * @param {TeachingPage} page
   */
  constructor(root, button, service, navigation, page) {
    this.#root = root;
    this.#button = button;
    this.#find = finder(root, "teach-");
    this.#styles = service.styles;
    this.#navigation = navigation;
    this.#page = page;
    this.#notice = new Notice(this.#find);
    this.#choice = new TargetChoice(this.#find("target"), () => this.#targetChanged());
    this.#collector = new Collector(this.#choice, page.readDrawing, this.#notice, () => this.#pairsChanged());
    this.#pairs = new PairList(this.#find("pairs"), {
      onShow: (pair) => pair.sketch && page.onShow(pair.sketch.drawing),
      onDraw: (pair) => this.#collector.draw(pair),
      onRemove: (pair) => this.#collector.remove(pair),
    });
    const { readDrawing, readCategories } = page;
    const rightPhoto = (/** @type {Drawing} */ drawing) => this.#collector.photoFor(drawing);
    this.#adaptation = new Adaptation(this.#find, service, () => this.#choice.target, { readDrawing, readCategories, rightPhoto }, {
      onBusy: (busy) => this.#hold(busy),
      onStart: () => this.#clearResults(),
      onFitted: ({ photos_added: photoIds }) => this.#collector.uploaded(photoIds),
      onChanged: (adapted) => this.#adapted(adapted),
      onFailed: (error) => this.#failed(error),
    });
    this.#listen();
  }

  /** Brings back what was collected before a reload. */
  async restore() {
    await this.#collector.restore();
    this.#render();
  }

  /** @returns {boolean} */
  get isOpen() {
    return !this.#root.hidden;
  }

  /** @param {readonly string[]} categories that the gallery has */
  loadCategories(categories) {
    this.#choice.load("category", categories);
    this.#render();
  }

  toggle() {
    if (this.#button.hidden) return;
    if (this.isOpen) this.close();
    else this.open();
  }

  open() {
    this.#root.hidden = false;
    document.body.classList.add("is-teaching");
    this.#button.setAttribute("aria-expanded", "true");
    this.#choice.load("profile", this.#styles.names);
    this.followFilter(this.#page.readCategories());
    this.#render();
    this.#adaptation.loadVersions();
    this.#find("heading").focus({ preventScroll: true });
    // On a phone the photos to mark lie below it.
    // There it takes the whole screen, so that "back" ends it.
    if (matchMedia(PHONE).matches) this.#navigation.opened(this.#hide);
    this.#root.scrollIntoView({ block: matchMedia(PHONE).matches ? "start" : "nearest" });
  }

  close() {
    this.#root.hidden = true;
    document.body.classList.remove("is-teaching");
    this.#navigation.closed(this.#hide);
    this.#button.setAttribute("aria-expanded", "false");
    this.#clearResults();
    this.#page.onPicking(false, null);
    this.#button.focus({ preventScroll: true });
  }

  /** The drawing on the board changed. */
  drawingChanged() {
    if (!this.isOpen) return;
    this.#render();
    this.#adaptation.drawingChanged();
  }

  /** Other categories are searched: while nothing is collected, a single one becomes the target. @param {readonly string[]} categories */
  followFilter(categories) {
    const { kind, name } = this.#choice.target;
    const untouched = this.isOpen && kind === "category" && this.#collector.support.pairs.length === 0;
    if (untouched && categories.length === 1 && categories[0] !== name) this.#choice.rename(categories[0]);
  }

  /** Marks a photo as the right one for the drawing on the board. @param {import("../api/client.js").Hit} hit */
  choose(hit) {
    return this.#collector.choose(hit);
  }

  #listen() {
    this.#button.addEventListener("click", () => this.toggle());
    this.#find("close").addEventListener("click", () => this.close());
    const files = this.#find("files", HTMLInputElement);
    files.addEventListener("change", () => {
      this.#collector.addFiles([...(files.files ?? [])]);
      files.value = "";
    });
    this.#find("next").addEventListener("click", () => this.#page.onNext());
    this.#find("fit").addEventListener("click", () => this.#adaptation.fit(this.#collector.support.toExamples()));
  }

  #targetChanged() {
    const { kind, name } = this.#choice.target;
    this.#clearResults();
    this.#render();
    this.#collector.save();
    this.#adaptation.loadVersions();
    // The right photo is one of the category's own. A category that does not exist yet cannot be searched.
    if (kind === "category" && name) this.#page.onNarrow(this.#choice.isNewCategory ? [] : [name]);
  }

  #pairsChanged() {
    this.#rejected = [];
    this.#render();
  }

  /** @param {Target | null} adapted what has just got an adapter: a style is chosen at once, a category searched */
  async #adapted(adapted) {
    await this.#styles.load(adapted?.kind === "profile" ? adapted.name : undefined);
    this.#choice.load("profile", this.#styles.names);
    await this.#adaptation.loadVersions();
    await this.#page.onAdapted();
    if (adapted?.kind === "category") this.#page.onNarrow([adapted.name]);
    this.#render();
  }

  #clearResults() {
    this.#adaptation.clear();
    this.#notice.hide();
  }

  /** @param {boolean} busy */
  #hold(busy) {
    this.#collector.held = busy;
    this.#choice.hold(busy);
    this.#render();
  }

  /** @param {unknown} error */
  #failed(error) {
    this.#notice.showError(error);
    const { drawn } = this.#collector.support;
    const fields = error instanceof Problem ? error.errors.map(({ where }) => EXAMPLE_FIELD.exec(where)?.[1]) : [];
    this.#rejected = fields.flatMap((index) => (index === undefined ? [] : drawn.slice(Number(index), Number(index) + 1)));
  }

  #render() {
    if (!this.isOpen) return;
    const support = this.#collector.support;
    const { kind, name } = this.#choice.target;
    const outside = kind === "category" && name ? support.outside(name) : [];
    const photo = this.#collector.photoFor(this.#page.readDrawing());
    this.#find("own").hidden = kind === "profile";
    this.#pairs.render(support.pairs, this.#notes(outside));
    this.#find("hint").textContent = nextStep({
      pairs: support.drawn.length,
      hasPhoto: photo !== null,
      isBlank: isBlank(this.#page.readDrawing()),
      needsPhotos: this.#choice.isNewCategory,
      outside: outside.length ? name : null,
    });
    this.#find("next").hidden = !photo;
    // While it is fitted, the button keeps the focus of the user who pressed it.
    this.#find("fit", HTMLButtonElement).disabled = !name || support.drawn.length === 0 || outside.length > 0;
    this.#find("fit-label").textContent = text(this.#collector.held ? "teach.learning" : "teach.learn");
    this.#find("fit-count").textContent = text("teach.count", { count: support.drawn.length });
    this.#page.onPicking(true, photo?.photo_id ?? null);
  }

  /** @param {readonly Pair[]} outside the target category @returns {Map<Pair, string>} the pairs that cannot be used, and why */
  #notes(outside) {
    /** @type {Map<Pair, string>} */
    const notes = new Map();
    for (const pair of this.#rejected) notes.set(pair, text("pair.see_below"));
    for (const pair of outside) notes.set(pair, text("pair.elsewhere", { category: pair.photo.category || text("pair.no_category") }));
    return notes;
  }
}
