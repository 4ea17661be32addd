/** Puts the page together: who hears of what. */

import { Board } from "./canvas.js";
import { CategoryPicker } from "./categories.js";
import { PhotoDialog } from "./dialog.js";
import { toPng } from "./drawing.js";
import { showExamples } from "./examples.js";
import { Finder } from "./finder.js";
import { PictureError, fileIn, readPicture } from "./images.js";
import { ResultsPanel } from "./panel.js";
import { Preview } from "./preview.js";
import { ResultsGrid, photoName } from "./results.js";
import { Client, Problem } from "./search.js";
import * as session from "./session.js";
import { bindShortcuts } from "./shortcuts.js";
import { Adapters } from "./teach/adapters.js";
import { TeachPanel } from "./teach/panel.js";
import { ProfileChoice } from "./teach/profiles.js";
import { Tools } from "./tools.js";

const RESULT_COUNTS = [12, 24, 48, 96, 200];

const find = (id) => document.getElementById(id);

class Page {
  #client = new Client();
  #adapters = new Adapters();
  #restoring = true;
  #questionUrl = null;

  constructor() {
    const { k, categories } = session.readAddress();
    this.board = new Board(find("board"), { onChange: () => this.#drawingChanged(), onDraft: () => this.#askDrawing({ draft: true }) });
    this.tools = new Tools(document.querySelector(".desk"), this.board);
    this.preview = new Preview(find("preview"), find("preview-button"), this.#client, () => this.board.drawing);
    this.grid = new ResultsGrid(find("grid"), find("card-template"), {
      onOpen: (index) => this.#openPhoto(index),
      onPick: (hit) => this.teach.choose(hit),
    });
    this.picker = new CategoryPicker(find("category-picker"), find("option-template"), categories, (selected) => {
      this.#ask({ categories: selected });
      this.teach.followFilter(selected);
    });
    this.panel = new ResultsPanel(find("results"), this.grid, (selected) => this.picker.count(selected), () => this.finder.ask());
    this.finder = new Finder(this.#client, this.panel, () => this.board.drawing, { k, categories, like: null });
    this.dialog = new PhotoDialog(find("photo-dialog"), this.#client, {
      onSimilar: (hit) => this.#ask({ like: { ...hit, name: photoName(hit) } }, { push: true }),
      onPick: (hit) => this.teach.choose(hit),
      onClose: (index) => this.grid.focus(index),
    });
    this.profiles = new ProfileChoice(find("profile-choice"), this.#adapters, () => this.#ask({ profile: this.profiles.chosen }));
    this.teach = this.#newTeachPanel();
    showExamples(find("examples"), find("example-template"), (drawing) => this.board.replace(drawing));
    find("back-to-drawing").addEventListener("click", () => this.#ask({ like: null }, { push: true }));
    addEventListener("popstate", () => this.#followAddress());
    this.#bindResultCount(k);
    this.#bindPictures();
    this.#bindKeys();
  }

  async start() {
    this.#loadCategories();
    this.#loadProfiles();
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
    this.#askDrawing();
  }

  /** Whoever draws wants the drawing's results, also while looking at the like of a photo. */
  #askDrawing({ draft = false } = {}) {
    if (this.finder.like) this.#set({ like: null }, { push: true });
    this.finder.askSoon({ draft });
  }

  /** Asks at once with another k, other categories or another photo. */
  #ask(change, { push = false } = {}) {
    this.#set(change, { push });
    this.finder.ask();
  }

  #set(change, { push }) {
    Object.assign(this.finder, change);
    const { k, categories, like } = this.finder;
    session.writeAddress({ k, categories, like: like?.photo_id ?? null }, { push });
    this.panel.showBreadcrumb(like);
  }

  /** The address says what is asked: at the start, and after "back" and "forward". */
  async #followAddress() {
    const { k, categories, like } = session.readAddress();
    this.picker.select(categories);
    this.#showResultCount(k);
    let photo = null;
    if (like !== null) {
      // Of a photo that is no longer in the gallery, the search itself will say so.
      const known = await this.#client.photo(like).catch(() => ({ photo_id: like, thumbnail_url: "" }));
      photo = { photo_id: like, thumbnail_url: known.thumbnail_url, name: photoName(known) };
    }
    Object.assign(this.finder, { k, categories, like: photo });
    this.panel.showBreadcrumb(photo);
    this.finder.ask();
  }

  async #loadCategories() {
    try {
      const known = await this.#client.categories();
      this.picker.load(known);
      this.teach.loadCategories(known.categories.map(({ category }) => category));
      find("gallery-size").textContent = `${new Intl.NumberFormat("en").format(known.total)} photos`;
    } catch {
      // The search itself says what is wrong; the filter fills once the service is there.
      setTimeout(() => this.#loadCategories(), 5000);
    }
  }

  /** Whether anything can be taught here, and whose drawing styles were. */
  async #loadProfiles() {
    try {
      const [info] = await Promise.all([this.#client.info(), this.profiles.load()]);
      find("teach-button").hidden = !info.adaptation_id;
      if (this.profiles.chosen) this.#ask({ profile: this.profiles.chosen });
    } catch (error) {
      if (error instanceof Problem && !error.passes) throw error;
      setTimeout(() => this.#loadProfiles(), 5000); // not there yet, or out of reach
    }
  }

  #newTeachPanel() {
    const service = { client: this.#client, adapters: this.#adapters, profiles: this.profiles };
    return new TeachPanel(find("teach"), find("teach-button"), service, {
      readDrawing: () => this.board.drawing,
      readCategories: () => this.finder.categories,
      onShow: (drawing) => this.board.replace(drawing),
      onNext: () => this.#nextDrawing(),
      onNarrow: (categories) => {
        if (String(categories) === String(this.finder.categories)) return;
        this.picker.select(categories);
        this.#ask({ categories });
      },
      onPicking: (on, photoId) => this.grid.showPicking(on, photoId),
      onTaught: async () => {
        await this.#loadCategories();
        this.#ask({ profile: this.profiles.chosen });
      },
    });
  }

  #nextDrawing() {
    this.board.clear();
    find("board").scrollIntoView({ block: "nearest" });
    find("image-file").focus({ preventScroll: true }); // for those who do not draw
  }

  async #openPhoto(index) {
    const { like } = this.finder;
    if (this.#questionUrl) URL.revokeObjectURL(this.#questionUrl);
    this.#questionUrl = like ? null : URL.createObjectURL(await toPng(this.board.drawing));
    const question = like ? { src: like.thumbnail_url, caption: `Like ${like.name}` } : { src: this.#questionUrl, caption: "Your drawing" };
    this.dialog.open(this.grid.hits, index, question, this.teach.isOpen);
  }

  #bindResultCount(k) {
    find("result-count").addEventListener("change", (event) => this.#ask({ k: Number(event.target.value) }));
    this.#showResultCount(k);
  }

  #showResultCount(k) {
    const counts = [...new Set([...RESULT_COUNTS, k])].sort((a, b) => a - b);
    find("result-count").replaceChildren(...counts.map((n) => new Option(String(n), String(n), false, n === k)));
  }

  #bindPictures() {
    find("image-file").addEventListener("change", (event) => {
      const [file] = event.target.files;
      if (file) this.#takePicture(file);
      event.target.value = ""; // so that choosing the same file again is a change
    });
    document.addEventListener("paste", (event) => {
      const file = fileIn(event.clipboardData);
      if (file) this.#takePicture(file);
    });
    // The whole page takes the drop: a picture that misses the board must not navigate away from the drawing.
    document.addEventListener("dragover", (event) => {
      event.preventDefault();
      if (event.dataTransfer.types.includes("Files")) find("board").classList.add("is-drop-target");
    });
    document.addEventListener("dragleave", (event) => event.relatedTarget ?? find("board").classList.remove("is-drop-target"));
    document.addEventListener("drop", (event) => {
      event.preventDefault();
      find("board").classList.remove("is-drop-target");
      const file = fileIn(event.dataTransfer);
      if (file) this.#takePicture(file);
    });
  }

  async #takePicture(file) {
    try {
      this.board.replace([await readPicture(file)]);
    } catch (error) {
      if (!(error instanceof PictureError)) throw error;
      find("board-notice").textContent = error.message;
      find("board-notice").hidden = false;
    }
  }

  #bindKeys() {
    const help = find("help-dialog");
    const singleKeys = find("single-keys");
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

await new Page().start();
