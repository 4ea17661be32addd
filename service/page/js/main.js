/** Puts the page together: which part hears of what. */

import { Adapters } from "./api/adapters.js";
import { Client } from "./api/client.js";
import { Problem } from "./api/problem.js";
import { Board } from "./drawing/board.js";
import { showExamples } from "./drawing/examples.js";
import { toPng } from "./drawing/export.js";
import { isBlank } from "./drawing/drawing.js";
import { Preview } from "./drawing/preview.js";
import { Tools } from "./drawing/tools.js";
import { finder, query } from "./element.js";
import { JobsDialog } from "./jobs/dialog.js";
import { DrawingsDialog } from "./keeping/dialog.js";
import { takeDrawing } from "./keeping/link.js";
import { RecentDrawings } from "./keeping/recent.js";
import { KeyDialog } from "./key_dialog.js";
import { bindKeys } from "./keyboard/keys.js";
import { bindLanguages } from "./language.js";
import { Navigation } from "./navigation.js";
import { bindPictureInput } from "./picture_input.js";
import { Recovery } from "./recovery.js";
import { CategoryPicker } from "./results/category_picker.js";
import { ResultsGrid } from "./results/grid.js";
import { ResultsPanel } from "./results/panel.js";
import { PhotoDialog } from "./results/photo_dialog.js";
import { photoName } from "./results/photo_text.js";
import { ResultCount } from "./results/result_count.js";
import { Search } from "./results/search.js";
import * as session from "./session.js";
import { TeachPanel } from "./teach/panel.js";
import { StyleChoice } from "./teach/style_choice.js";
import { text } from "./texts.js";

const RETRY_MS = 5000;

const find = finder(document);

/** @typedef {Partial<Pick<Search, "k" | "categories" | "filters" | "focus" | "profile" | "group" | "words" | "like">>} SearchChange */

class Page {
  #client = new Client();
  #adapters = new Adapters();
  #restoring = true;
  /** @type {string | null} an object URL of the drawing that the photo dialog shows */
  #queryUrl = null;

  constructor() {
    const start = session.readAddress();
    this.navigation = new Navigation({ address: () => this.#address, onFollow: () => this.#followAddress() });
    this.keyDialog = new KeyDialog(find("key-dialog"), this.navigation, find("key-button"));
    this.jobs = new JobsDialog(find("jobs-dialog"), find("jobs-button"), this.navigation);
    this.recent = new RecentDrawings();
    this.board = new Board(find("board"), {
      onChange: () => this.#drawingChanged(),
      onDraft: () => this.#searchDrawing({ draft: true }),
      onLeave: (drawing) => this.recent.add(drawing),
      onView: () => this.tools.showView(),
    });
    this.tools = new Tools(query(document, ".desk", HTMLElement), this.board);
    this.preview = new Preview(find("preview"), find("preview-button", HTMLButtonElement), this.#client, () => this.board.drawing, () => this.search);
    this.grid = new ResultsGrid(find("grid"), find("card-template", HTMLTemplateElement), {
      onOpen: (index) => this.#openPhoto(index),
      onPick: (hit) => this.teach.choose(hit),
    });
    this.picker = new CategoryPicker(find("category-picker"), find("option-template", HTMLTemplateElement), this.navigation, start.categories, (selected) => {
      this.#search({ categories: selected, focus: null });
      this.teach.followFilter(selected);
    });
    this.panel = new ResultsPanel(find("results"), this.grid, (selected) => this.picker.count(selected), {
      onRetry: () => this.search.run(),
      onNarrow: (change) => this.#narrow(change),
    });
    this.recovery = new Recovery(this.#client, {
      scope: () => this.search,
      categories: () => this.picker.known,
      profiles: () => this.styles.usable,
      onChange: (change) => this.#narrow(change),
    });
    this.search = new Search(this.#client, this.panel, () => this.board.drawing, start, (problem) => this.recovery.offers(problem));
    this.dialog = new PhotoDialog(find("photo-dialog"), this.#client, this.navigation, {
      onSimilar: (hit) => this.#search({ like: { ...hit, name: photoName(hit) } }, { push: true }),
      onPick: (hit) => this.teach.choose(hit),
      onClose: (index) => this.grid.focusAgain(index),
    });
    this.styles = new StyleChoice(find("profile-choice"), this.#adapters, () => this.#search({ profile: this.styles.chosen }));
    this.teach = this.#newTeachPanel();
    this.resultCount = new ResultCount(find("result-count", HTMLSelectElement), (k) => this.#search({ k }));
    this.resultCount.show(start.k);
    this.words = find("words", HTMLInputElement);
    this.words.addEventListener("input", () => {
      this.#set({ words: this.words.value.trim() }, { push: false });
      this.search.runSoon();
    });
    this.drawings = new DrawingsDialog(find("drawings-dialog"), this.navigation, this.recent, {
      readDrawing: () => this.board.drawing,
      onOpen: (drawing) => this.board.open(drawing),
    });
    this.#listen();
  }

  async start() {
    this.#loadCategories();
    this.#loadAdaptation();
    const shared = takeDrawing();
    this.board.restore(await session.loadDrawing());
    if (shared) this.board.open(shared);
    this.teach.restore();
    this.#restoring = false;
    if (shared) session.saveDrawing(shared);
    if (shared === null) this.#say(text("drawings.unreadable"));
    await this.#followAddress();
  }

  #listen() {
    find("back-to-drawing").addEventListener("click", () => this.#search({ like: null }, { push: true }));
    find("drawings-button").addEventListener("click", () => this.drawings.open());
    addEventListener("pagehide", () => this.recent.add(this.board.drawing));
    addEventListener("hashchange", () => this.#openShared());
    bindPictureInput(find("image-file", HTMLInputElement), find("board"), find("board-notice"), (picture) => this.board.open([picture]));
    bindKeys(this, this.navigation);
    bindLanguages(query(document, ".languages", HTMLElement));
  }

  /** A link with a drawing was followed on the page itself. */
  #openShared() {
    const shared = takeDrawing();
    if (shared) this.board.open(shared);
    else if (shared === null) this.#say(text("drawings.unreadable"));
  }

  /** @param {string} words about the drawing, until it is another one */
  #say(words) {
    find("board-notice").textContent = words;
    find("board-notice").hidden = false;
  }

  /** As if the user had chosen it in the lists. @param {SearchChange} change */
  #narrow(change) {
    if (change.categories) {
      this.picker.select(change.categories);
      this.teach.followFilter(change.categories);
    }
    if (change.profile !== undefined) this.styles.choose(change.profile);
    this.#search(change);
  }

  #drawingChanged() {
    this.tools.refresh();
    if (this.#restoring) return;
    session.saveDrawing(this.board.drawing);
    find("board-notice").hidden = true;
    this.preview.refreshSoon();
    this.teach.drawingChanged();
    this.#searchDrawing();
  }

  /** Drawing makes the drawing the query again, also while photos like another photo are shown. */
  #searchDrawing({ draft = false } = {}) {
    if (this.search.like) this.#set({ like: null }, { push: true });
    this.search.runSoon({ draft });
  }

  /** Searches at once with another k, other categories or another photo. @param {SearchChange} change */
  #search(change, { push = false } = {}) {
    this.#set(change, { push });
    this.search.run();
  }

  /** @param {SearchChange} change @param {{push: boolean}} options push: the browser's "back" returns to the search before */
  #set(change, { push }) {
    Object.assign(this.search, change);
    this.preview.refreshSoon();
    this.navigation.write({ push });
    this.panel.showBreadcrumb(this.search.like);
  }

  /** @returns {string} of the present search */
  get #address() {
    const { k, categories, filters, focus, profile, group, words, like } = this.search;
    return session.addressOf({ k, categories, filters, focus, profile, group, words, like: like?.photo_id ?? null });
  }

  /** Searches for what the address says: at the start, and after "back" and "forward". */
  async #followAddress() {
    const { k, categories, filters, focus, profile, group, words, like } = session.readAddress();
    this.words.value = words;
    this.picker.select(categories);
    this.resultCount.show(k);
    const photo = like === null ? null : await this.#queryPhoto(like);
    Object.assign(this.search, { k, categories, filters, focus, profile: profile ?? this.styles.chosen, group, words, like: photo });
    this.preview.refreshSoon();
    this.panel.showBreadcrumb(photo);
    this.search.run();
    this.#checkCategories();
  }

  /** Says at once that a category of the address is gone, not only with the first search. */
  #checkCategories() {
    const missing = this.picker.known.length ? this.recovery.missingCategory(this.search.categories) : null;
    if (missing) this.panel.showProblem(missing, false, this.recovery.offers(missing));
  }

  /** @param {string} photoId @returns {Promise<import("./results/search.js").QueryPhoto>} */
  async #queryPhoto(photoId) {
    // Where the photo is no longer in the gallery, the search itself says so.
    const photo = await this.#client.photo(photoId).catch(() => ({ photo_id: photoId, thumbnail_url: "" }));
    return { photo_id: photoId, thumbnail_url: photo.thumbnail_url, name: photoName(photo) };
  }

  async #loadCategories() {
    try {
      const known = await this.#client.categories();
      this.picker.load(known);
      this.teach.loadCategories(this.picker.known);
      showExamples(find("examples"), find("example-template", HTMLTemplateElement), this.picker.known, (drawing, category) => this.#showExample(drawing, category));
      find("gallery-size").textContent = text("gallery_size", { count: known.total });
      this.#checkCategories();
    } catch (error) {
      await this.#loadAgain(error, () => this.#loadCategories());
    }
  }

  /** What is asked at the start is asked until it is answered, or cannot be. @param {unknown} error @param {() => void} load */
  async #loadAgain(error, load) {
    const problem = error instanceof Problem ? error : null;
    if (problem?.code === "gallery_not_found") {
      await this.recovery.loadGalleries();
      this.panel.showProblem(problem, false, this.recovery.offers(problem));
    } else if (!problem?.isDenied) setTimeout(load, RETRY_MS); // the search itself says what is wrong
  }

  /** Searches for an example where its photo is. @param {import("./drawing/drawing.js").Drawing} drawing @param {string} [category] */
  #showExample(drawing, category) {
    const categories = category === undefined ? [] : [category];
    this.picker.select(categories);
    this.#set({ categories, focus: null }, { push: false });
    this.board.open(drawing);
    find("board").scrollIntoView({ block: "nearest" });
    // The example that had the focus goes; what comes of it is read out as the results come.
    find("results").focus({ preventScroll: true });
  }

  /** Loads whether the bundle can be adapted, and the profiles. */
  async #loadAdaptation() {
    try {
      const asked = this.search.profile;
      const [info] = await Promise.all([this.#client.info(), this.styles.load(asked ?? undefined)]);
      find("teach-button").hidden = !info.adaptation_id || !info.access.includes("adapt");
      this.jobs.allow(info.access.includes("write"));
      this.dialog.feedback.isOn = Boolean(info.feedback);
      if (this.styles.chosen && asked === null) this.#search({ profile: this.styles.chosen });
    } catch (error) {
      await this.#loadAgain(error, () => this.#loadAdaptation());
    }
  }

  #newTeachPanel() {
    const service = { client: this.#client, adapters: this.#adapters, styles: this.styles };
    return new TeachPanel(find("teach"), find("teach-button"), service, this.navigation, {
      readDrawing: () => this.board.drawing,
      readCategories: () => this.search.categories,
      onShow: (drawing) => this.board.open(drawing),
      onNext: () => this.#nextDrawing(),
      onNarrow: (categories) => {
        if (String(categories) === String(this.search.categories)) return;
        this.picker.select(categories);
        this.#search({ categories, focus: null });
      },
      onPicking: (on, photoId) => this.grid.showPicking(on, photoId),
      onAdapted: async () => {
        await this.#loadCategories();
        this.#search({ profile: this.styles.chosen });
      },
    });
  }

  #nextDrawing() {
    this.board.clear();
    find("board").scrollIntoView({ block: "nearest" });
    find("image-file").focus({ preventScroll: true }); // for those who do not draw
  }

  /** @param {number} index of the result */
  async #openPhoto(index) {
    const { like } = this.search;
    const sketch = like || isBlank(this.board.drawing) ? undefined : await toPng(this.board.drawing);
    if (this.#queryUrl) URL.revokeObjectURL(this.#queryUrl);
    this.#queryUrl = sketch ? URL.createObjectURL(sketch) : null;
    const src = this.#queryUrl ?? like?.thumbnail_url ?? "";
    const caption = like ? text("photo.like", { name: like.name }) : sketch ? text("photo.drawing") : "";
    this.dialog.open(this.grid.hits, index, { src, caption, sketch }, this.teach.isOpen);
  }
}

document.documentElement.classList.add("is-started");
await new Page().start();
