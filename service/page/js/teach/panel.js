/** "Teach it": collects drawings with the photos that were meant, has them learned, and shows what came of it. */

import { isBlank } from "../drawing.js";
import { PictureError, readPhoto } from "../images.js";
import { Problem, Unreachable } from "../search.js";
import { Comparison } from "./comparison.js";
import { keep, recall } from "./keep.js";
import { Lesson, drawingKey, galleryPhoto, ownPhoto, snapshot } from "./lesson.js";
import { Outcome } from "./outcome.js";
import { SubjectChoice } from "./subject.js";
import { Tray } from "./tray.js";
import { Versions } from "./versions.js";
import { nextStep, whereOf } from "./words.js";

/** Nothing was taught yet where these are answered. */
const UNTAUGHT_CODES = new Set(["unknown_category", "unknown_profile"]);
/** Where the service says which examples are wrong: "sketch.0", "photo_id.3", counted as they were sent. */
const FAULT = /^(?:sketch|photo_id)\.(\d+)$/;

/** @typedef {import("./adapters.js").Adapter} Adapter */
/** @typedef {import("./adapters.js").Subject} Subject */
/** @typedef {import("../search.js").Hit} Hit */

export class TeachPanel {
  #root;
  #button;
  #adapters;
  #profiles;
  #page;
  #choice;
  #tray;
  #versions;
  #outcome;
  #lessons = { category: new Lesson(), profile: new Lesson() };
  /** The pairs cannot change while they are being learned. */
  #busy = false;
  /** @type {import("./lesson.js").Pair[]} those that the service could not use */
  #refused = [];

  /**
   * @param {HTMLElement} root
   * @param {HTMLButtonElement} button opens and closes it
   * @param {{client: import("../search.js").Client, adapters: import("./adapters.js").Adapters, profiles: import("./profiles.js").ProfileChoice}} service
   * @param {{readDrawing: () => import("../drawing.js").Drawing, readCategories: () => readonly string[],
   *   onShow: (drawing: import("../drawing.js").Drawing) => void, onNext: () => void, onNarrow: (categories: string[]) => void,
   *   onPicking: (on: boolean, photoId: string | null) => void, onTaught: () => void}} page onShow: a drawing is wanted on the
   *   board; onNext: an empty board is; onNarrow: only these categories are to be searched; onPicking: whether photos can be
   *   marked, and which one is; onTaught: searches answer otherwise now
   */
  constructor(root, button, { client, adapters, profiles }, page) {
    this.#root = root;
    this.#button = button;
    this.#adapters = adapters;
    this.#profiles = profiles;
    this.#page = page;
    this.#choice = new SubjectChoice(this.#find("subject"), () => this.#subjectChanged());
    this.#tray = new Tray(this.#find("tray"), document.getElementById("pair-template"), {
      onShow: (pair) => page.onShow(pair.sketch.drawing),
      onDraw: (pair) => this.#withDrawing((sketch) => this.#lesson.draw(pair.id, sketch)),
      onRemove: (pair) => this.#change(() => this.#lesson.remove(pair.id)),
    });
    this.#versions = new Versions(this.#find("versions"), document.getElementById("version-template"), {
      onUse: (adapter) => this.#act(() => adapters.activate(this.#subject, adapter.adapter_id), `Version ${adapter.version} is in use.`),
      onDelete: (adapter, options) => this.#act(() => adapters.remove(this.#subject, adapter.adapter_id, options), `Version ${adapter.version} is deleted.`),
    });
    const rightPhoto = (drawing) => this.#lesson.answerTo(drawingKey(drawing));
    const comparison = new Comparison(this.#find("comparison"), document.getElementById("place-template"), client, page.readDrawing, rightPhoto);
    this.#outcome = new Outcome(this.#find("outcome"), comparison, {
      onForce: (adapter) => this.#learn(() => adapters.activate(this.#subject, adapter.adapter_id)),
      onUndo: (adapter) => this.#undo(adapter),
    });
    this.#listen();
  }

  /** Brings back what was collected before a reload. */
  async restore() {
    const kept = await recall("lessons");
    if (!kept) return;
    for (const kind of ["category", "profile"]) this.#lessons[kind] = await Lesson.fromStored(kept[kind]);
    this.#choice.restore(kept.names);
    this.#render();
  }

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
    this.#button.setAttribute("aria-expanded", "true");
    this.#choice.load("profile", this.#profiles.names);
    this.followFilter(this.#page.readCategories());
    this.#render();
    this.#loadVersions();
    this.#find("heading").focus({ preventScroll: true });
    // On a phone the photos to mark lie below it.
    this.#root.scrollIntoView({ block: matchMedia("(width < 700px)").matches ? "start" : "nearest" });
  }

  close() {
    this.#root.hidden = true;
    this.#button.setAttribute("aria-expanded", "false");
    this.#forgetOutcome();
    this.#page.onPicking(false, null);
    this.#button.focus({ preventScroll: true });
  }

  /** The drawing on the board is another one. */
  drawingChanged() {
    if (!this.isOpen) return;
    this.#render();
    this.#outcome.refreshSoon();
  }

  /** Other categories are searched: while nothing is collected, the one is meant to be taught. @param {readonly string[]} categories */
  followFilter(categories) {
    const { kind, name } = this.#subject;
    const idle = this.isOpen && kind === "category" && this.#lesson.pairs.length === 0;
    if (idle && categories.length === 1 && categories[0] !== name) this.#choice.rename(categories[0]);
  }

  /** That photo is what the drawing on the board means. @param {Hit} hit */
  choose(hit) {
    return this.#withDrawing((sketch) => {
      this.#lesson.choose(sketch, galleryPhoto(hit));
      if (this.#subject.kind === "category" && !this.#subject.name && hit.category) this.#choice.rename(hit.category);
    });
  }

  get #lesson() {
    return this.#lessons[this.#subject.kind];
  }

  /** @returns {Subject} */
  get #subject() {
    return this.#choice.subject;
  }

  #listen() {
    this.#button.addEventListener("click", () => this.toggle());
    this.#find("close").addEventListener("click", () => this.close());
    this.#find("files").addEventListener("change", (event) => {
      this.#addFiles([...event.target.files]);
      event.target.value = "";
    });
    this.#find("next").addEventListener("click", () => this.#page.onNext());
    this.#find("train").addEventListener("click", () => this.#learn(() => this.#adapters.train(this.#subject, this.#lesson.toForm())));
  }

  #subjectChanged() {
    const { kind, name } = this.#subject;
    this.#forgetOutcome();
    this.#render();
    this.#keep();
    this.#loadVersions();
    // Its own photos are what a right answer is among. A category that is not there yet cannot be searched.
    if (kind === "category" && name) this.#page.onNarrow(this.#choice.isNewCategory ? [] : [name]);
  }

  /** @param {File[]} files */
  async #addFiles(files) {
    const drawing = this.#page.readDrawing();
    const single = files.length === 1 && !isBlank(drawing) && !this.#lesson.answerTo(drawingKey(drawing));
    try {
      for (const file of files) {
        const photo = ownPhoto(await readPhoto(file));
        if (single) await this.#withDrawing((sketch) => this.#lesson.choose(sketch, photo));
        else this.#change(() => this.#lesson.add(photo));
      }
    } catch (error) {
      if (!(error instanceof PictureError)) throw error;
      this.#showProblem("That photo cannot be used", error.message);
    }
  }

  /** @param {(sketch: import("./lesson.js").Snapshot) => void} use of the drawing that is on the board */
  async #withDrawing(use) {
    const drawing = this.#page.readDrawing();
    if (isBlank(drawing)) {
      this.#showProblem("The board is empty", "Draw the photo first, then mark it.");
      return;
    }
    const sketch = await snapshot(drawing);
    this.#change(() => use(sketch));
  }

  #change(act) {
    if (this.#busy) return;
    act();
    this.#refused = [];
    this.#find("problem").hidden = true;
    this.#render();
    this.#keep();
  }

  #keep() {
    const { category, profile } = this.#lessons;
    keep("lessons", { names: this.#choice.names, category: category.toStored(), profile: profile.toStored() });
  }

  /** @param {() => Promise<Adapter>} ask the service to learn, or to use what it has learned */
  async #learn(ask) {
    if (this.#busy) return;
    this.#setBusy(true);
    this.#forgetOutcome();
    try {
      const adapter = await ask();
      this.#lesson.taught(adapter.photos_added);
      this.#keep();
      await this.#afterChange(adapter.state === "active" || adapter.photos_added.length ? this.#subject : null);
      this.#outcome.show(adapter, this.#subject, this.#page.readCategories());
    } catch (error) {
      this.#failed(error);
    } finally {
      this.#setBusy(false);
    }
  }

  /** @param {Adapter} adapter */
  #undo(adapter) {
    const photos = adapter.photos_added.length ? " The photos that came with it stay." : "";
    this.#act(() => this.#adapters.rollback(this.#subject), `Undone: ${whereOf(this.#subject)} answer as they did before.${photos}`);
  }

  /** @param {() => Promise<unknown>} act on the versions @param {string} done what to say then */
  async #act(act, done) {
    this.#forgetOutcome();
    try {
      await act();
      await this.#afterChange(null);
      this.#find("done").textContent = done;
      this.#find("done").focus({ preventScroll: true }); // what was pressed may be gone
    } catch (error) {
      this.#failed(error);
    }
  }

  /** @param {Subject | null} learned what is new: a style is chosen at once, a category searched */
  async #afterChange(learned) {
    await this.#profiles.load(learned?.kind === "profile" ? learned.name : undefined);
    this.#choice.load("profile", this.#profiles.names);
    await this.#loadVersions();
    await this.#page.onTaught();
    if (learned?.kind === "category") this.#page.onNarrow([learned.name]);
    this.#render();
  }

  async #loadVersions() {
    const subject = this.#subject;
    let known = { adapters: [], active: null };
    try {
      if (subject.name) known = await this.#adapters.list(subject);
    } catch (error) {
      if (!UNTAUGHT_CODES.has(error.code)) this.#failed(error);
    }
    const { kind, name } = this.#subject;
    if (subject.kind === kind && subject.name === name) this.#versions.render(known.adapters, known.active);
  }

  #forgetOutcome() {
    this.#outcome.hide();
    this.#find("problem").hidden = true;
    this.#find("done").textContent = "";
  }

  #setBusy(busy) {
    this.#busy = busy;
    this.#choice.hold(busy);
    this.#render();
  }

  #failed(error) {
    if (error instanceof Unreachable) this.#showProblem("No connection", error.message);
    else if (error instanceof Problem) this.#showProblem(error.title, error.message);
    else throw error;
    const numbers = (error.faults ?? []).map(({ where }) => FAULT.exec(where)?.[1]).filter(Boolean);
    this.#refused = numbers.map((number) => this.#lesson.drawn[Number(number)]).filter(Boolean);
  }

  #showProblem(title, detail) {
    this.#find("problem-title").textContent = title;
    this.#find("problem-detail").textContent = detail;
    this.#find("problem").hidden = false;
    this.#find("problem").scrollIntoView({ block: "nearest" });
  }

  #render() {
    if (!this.isOpen) return;
    const lesson = this.#lesson;
    const { kind, name } = this.#subject;
    const foreign = kind === "category" && name ? lesson.foreignTo(name) : [];
    const wrong = new Map([
      ...this.#refused.map((pair) => [pair, "See below"]),
      ...foreign.map((pair) => [pair, `In ${pair.photo.category || "no category"}`]),
    ]);
    const answer = lesson.answerTo(drawingKey(this.#page.readDrawing()));
    this.#find("own").hidden = kind === "profile";
    this.#tray.render(lesson.pairs, wrong);
    this.#find("hint").textContent = nextStep({
      pairs: lesson.drawn.length,
      hasAnswer: answer !== null,
      isBlank: isBlank(this.#page.readDrawing()),
      needsPhotos: this.#choice.isNewCategory,
      foreignTo: foreign.length ? name : null,
    });
    this.#find("next").hidden = !answer;
    // While it learns, the button keeps the focus of who pressed it.
    this.#find("train").disabled = !name || lesson.drawn.length === 0 || foreign.length > 0;
    this.#find("train-label").textContent = this.#busy ? "Learning …" : "Learn";
    this.#find("train-count").textContent = lesson.drawn.length === 1 ? "1 pair" : `${lesson.drawn.length} pairs`;
    this.#page.onPicking(true, answer?.photo_id ?? null);
  }

  #find(name) {
    return this.#root.querySelector(`#teach-${name}`);
  }
}
