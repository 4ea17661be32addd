/** Puts the page together: which part hears of what. */

import { Adapters } from "./api/adapters.js";
import { Client } from "./api/client.js";
import { Problem } from "./api/problem.js";
import { Board } from "./drawing/board.js";
import { toPng } from "./drawing/drawing.js";
import { showExamples } from "./drawing/examples.js";
import { Preview } from "./drawing/preview.js";
import { Tools } from "./drawing/tools.js";
import { finder, query } from "./element.js";
import { KeyDialog } from "./key_dialog.js";
import { bindPictureInput } from "./picture_input.js";
import { CategoryPicker } from "./results/category_picker.js";
import { ResultsGrid } from "./results/grid.js";
import { ResultsPanel } from "./results/panel.js";
import { PhotoDialog } from "./results/photo_dialog.js";
import { photoName } from "./results/photo_text.js";
import { Search } from "./results/search.js";
import * as session from "./session.js";
import { bindShortcuts } from "./shortcuts.js";
import { TeachPanel } from "./teach/panel.js";
import { StyleChoice } from "./teach/style_choice.js";

const RESULT_COUNTS = [12, 24, 48, 96, 200];
const RETRY_MS = 5000;

const find = finder(document);

/** @typedef {Partial<Pick<Search, "k" | "categories" | "profile" | "like">>} SearchChange */

class Page {
  #client = new Client();
  #adapters = new Adapters();
  #restoring = true;
  /** @type {string | null} an object URL of the drawing that the photo dialog shows */
  #queryUrl = null;

  constructor() {
    const { k, categories } = session.readAddress();
    this.board = new Board(find("board"), { onChange: () => this.#drawingChanged(), onDraft: () => this.#searchDrawing({ draft: true }) });
    this.tools = new Tools(query(document, ".desk", HTMLElement), this.board);
    this.preview = new Preview(find("preview"), find("preview-button", HTMLButtonElement), this.#client, () => this.board.drawing);
    this.grid = new ResultsGrid(find("grid"), find("card-template", HTMLTemplateElement), {
      onOpen: (index) => this.#openPhoto(index),
      onPick: (hit) => this.teach.choose(hit),
    });
    this.picker = new CategoryPicker(find("category-picker"), find("option-template", HTMLTemplateElement), categories, (selected) => {
      this.#search({ categories: selected });
      this.teach.followFilter(selected);
    });
    this.panel = new ResultsPanel(find("results"), this.grid, (selected) => this.picker.count(selected), () => this.search.run());
    this.search = new Search(this.#client, this.panel, () => this.board.drawing, { k, categories });
    this.dialog = new PhotoDialog(find("photo-dialog", HTMLDialogElement), this.#client, {
      onSimilar: (hit) => this.#search({ like: { ...hit, name: photoName(hit) } }, { push: true }),
      onPick: (hit) => this.teach.choose(hit),
      onClose: (index) => this.grid.focusAgain(index),
    });
    this.styles = new StyleChoice(find("profile-choice"), this.#adapters, () => this.#search({ profile: this.styles.chosen }));
    this.teach = this.#newTeachPanel();
    find("back-to-drawing").addEventListener("click", () => this.#search({ like: null }, { push: true }));
    addEventListener("popstate", () => this.#followAddress());
    this.#bindResultCount(k);
    bindPictureInput(find("image-file", HTMLInputElement), find("board"), find("board-notice"), (picture) => this.board.replace([picture]));
    this.#bindKeys();
  }

  async start() {
    this.#loadCategories();
    this.#loadAdaptation();
    this.board.restore(await session.loadDrawing());
    this.teach.restore();
    this.#restoring = false;
    await this.#followAddress();
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
    const { k, categories, like } = this.search;
    session.writeAddress({ k, categories, like: like?.photo_id ?? null }, { push });
    this.panel.showBreadcrumb(like);
  }

  /** Searches for what the address says: at the start, and after "back" and "forward". */
  async #followAddress() {
    const { k, categories, like } = session.readAddress();
    this.picker.select(categories);
    this.#showResultCount(k);
    const photo = like === null ? null : await this.#queryPhoto(like);
    Object.assign(this.search, { k, categories, like: photo });
    this.panel.showBreadcrumb(photo);
    this.search.run();
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
      const names = known.categories.map(({ category }) => category);
      this.teach.loadCategories(names);
      showExamples(find("examples"), find("example-template", HTMLTemplateElement), names, (drawing, category) => this.#showExample(drawing, category));
      find("gallery-size").textContent = `${new Intl.NumberFormat("en").format(known.total)} photos`;
    } catch (error) {
      if (isDenied(error)) return;
      // The search itself says what is wrong; the filter fills once the service answers.
      setTimeout(() => this.#loadCategories(), RETRY_MS);
    }
  }

  /** Searches for an example where its photo is. @param {import("./drawing/drawing.js").Drawing} drawing @param {string} [category] */
  #showExample(drawing, category) {
    const categories = category === undefined ? [] : [category];
    this.picker.select(categories);
    this.#set({ categories }, { push: false });
    this.board.replace(drawing);
  }

  /** Loads whether the bundle can be adapted, and the profiles. */
  async #loadAdaptation() {
    try {
      const [info] = await Promise.all([this.#client.info(), this.styles.load()]);
      find("teach-button").hidden = !info.adaptation_id || !info.access.includes("adapt");
      if (this.styles.chosen) this.#search({ profile: this.styles.chosen });
    } catch (error) {
      if (isDenied(error)) return;
      if (error instanceof Problem && !error.isTransient) throw error;
      setTimeout(() => this.#loadAdaptation(), RETRY_MS);
    }
  }

  #newTeachPanel() {
    const service = { client: this.#client, adapters: this.#adapters, styles: this.styles };
    return new TeachPanel(find("teach"), find("teach-button"), service, {
      readDrawing: () => this.board.drawing,
      readCategories: () => this.search.categories,
      onShow: (drawing) => this.board.replace(drawing),
      onNext: () => this.#nextDrawing(),
      onNarrow: (categories) => {
        if (String(categories) === String(this.search.categories)) return;
        this.picker.select(categories);
        this.#search({ categories });
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
    if (this.#queryUrl) URL.revokeObjectURL(this.#queryUrl);
    this.#queryUrl = null;
    let shown = { src: like?.thumbnail_url ?? "", caption: `Like ${like?.name}` };
    if (!like) {
      this.#queryUrl = URL.createObjectURL(await toPng(this.board.drawing));
      shown = { src: this.#queryUrl, caption: "Your drawing" };
    }
    this.dialog.open(this.grid.hits, index, shown, this.teach.isOpen);
  }

  /** @param {number} k */
  #bindResultCount(k) {
    const select = find("result-count", HTMLSelectElement);
    select.addEventListener("change", () => this.#search({ k: Number(select.value) }));
    this.#showResultCount(k);
  }

  /** @param {number} k */
  #showResultCount(k) {
    const counts = [...new Set([...RESULT_COUNTS, k])].sort((a, b) => a - b);
    find("result-count").replaceChildren(...counts.map((n) => new Option(String(n), String(n), false, n === k)));
  }

  #bindKeys() {
    const help = find("help-dialog", HTMLDialogElement);
    const singleKeys = find("single-keys", HTMLInputElement);
    singleKeys.checked = session.loadSingleKeys();
    singleKeys.addEventListener("change", () => session.saveSingleKeys(singleKeys.checked));
    find("help-button").addEventListener("click", () => help.showModal());
    help.addEventListener("click", (event) => event.target === help && help.close());
    bindShortcuts(
      {
        "mod+z": () => this.board.undo(),
        "mod+shift+z": () => this.board.redo(),
        "mod+y": () => this.board.redo(),
        p: () => this.tools.choose("pen"),
        e: () => this.tools.choose(this.board.tool === "eraser" ? "pen" : "eraser"),
        "[": () => this.tools.changeWidth(-0.5),
        "]": () => this.tools.changeWidth(0.5),
        f: () => this.board.flip(),
        delete: () => this.board.clear(),
        backspace: () => this.board.clear(),
        o: () => find("image-file").click(),
        m: () => this.preview.toggle(),
        t: () => this.teach.toggle(),
        "/": () => this.picker.open(true),
        r: () => this.grid.focus(),
        "?": () => help.showModal(),
      },
      () => singleKeys.checked,
    );
  }
}

/** @param {unknown} error @returns {boolean} whether a key is missing, or grants too little: asking again does not help */
function isDenied(error) {
  return error instanceof Problem && (error.status === 401 || error.status === 403);
}

new KeyDialog(find("key-dialog", HTMLDialogElement), find("key-button"));
await new Page().start();
