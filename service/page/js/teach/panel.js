/** "Teach it": collects drawings with the photos that were meant, has them learned, and shows what came of it. */

import { isBlank } from "../drawing.js";
import { PictureError, readPhoto } from "../images.js";
import { Problem, Unreachable } from "../search.js";
import { Comparison } from "./comparison.js";
import { keep, recall } from "./keep.js";
import { Lesson, drawingKey, galleryPhoto, ownPhoto, snapshot } from "./lesson.js";
import { improves, showFigures, verdict, whereOf } from "./outcome.js";
import { Tray } from "./tray.js";
import { Versions } from "./versions.js";

/** From here on a lesson is a good one; fewer pairs teach too. */
const GOOD_PAIRS = 5;
/** Nothing was taught yet where these are answered. */
const UNTAUGHT_CODES = new Set(["unknown_category", "head_not_found", "unknown_profile", "not_found"]);
const NAME_WORDS = {
  category: { label: "Category", placeholder: "Choose one, or name a new one" },
  profile: { label: "Whose drawings", placeholder: "Name the style: Anna, say" },
};

/** @typedef {import("./heads.js").Head} Head */
/** @typedef {import("./heads.js").Subject} Subject */
/** @typedef {import("../search.js").Hit} Hit */

export class TeachPanel {
  #root;
  #button;
  #heads;
  #profiles;
  #page;
  #tray;
  #versions;
  #comparison;
  /** @type {"category" | "profile"} */
  #kind = "category";
  #names = { category: "", profile: "" };
  #lessons = { category: new Lesson(), profile: new Lesson() };
  /** @type {readonly string[]} */
  #categories = [];
  /** The pairs cannot change while they are being learned. */
  #busy = false;

  /**
   * @param {HTMLElement} root
   * @param {HTMLButtonElement} button opens and closes it
   * @param {{client: import("../search.js").Client, heads: import("./heads.js").Heads, profiles: import("./profiles.js").ProfileChoice}} service
   * @param {{readDrawing: () => import("../drawing.js").Drawing, readCategories: () => readonly string[],
   *   onShow: (drawing: import("../drawing.js").Drawing) => void, onNext: () => void, onNarrow: (categories: string[]) => void,
   *   onPicking: (on: boolean, photoId: string | null) => void, onTaught: () => void}} page onShow: a drawing is wanted on the
   *   board; onNext: an empty board is; onNarrow: only these categories are to be searched; onPicking: whether photos can be
   *   marked, and which one is; onTaught: searches answer otherwise now
   */
  constructor(root, button, { client, heads, profiles }, page) {
    this.#root = root;
    this.#button = button;
    this.#heads = heads;
    this.#profiles = profiles;
    this.#page = page;
    this.#tray = new Tray(this.#find("tray"), document.getElementById("pair-template"), {
      onShow: (pair) => page.onShow(pair.sketch.drawing),
      onDraw: (pair) => this.#withDrawing((sketch) => this.#lesson.draw(pair.id, sketch)),
      onRemove: (pair) => this.#change(() => this.#lesson.remove(pair.id)),
    });
    this.#versions = new Versions(this.#find("versions"), document.getElementById("version-template"), {
      onUse: (head) => this.#act(() => heads.activate(this.#subject, head.head_id), `Version ${head.version} is in use.`),
      onDelete: (head) => this.#act(() => heads.remove(this.#subject, head.head_id), `Version ${head.version} is deleted.`),
    });
    const rightPhoto = (drawing) => this.#lesson.answerTo(drawingKey(drawing));
    this.#comparison = new Comparison(this.#find("comparison"), document.getElementById("place-template"), client, page.readDrawing, rightPhoto);
    this.#listen();
  }

  /** Brings back what was collected before a reload. */
  async restore() {
    const kept = await recall("lessons");
    if (!kept) return;
    this.#names = kept.names;
    for (const kind of ["category", "profile"]) this.#lessons[kind] = await Lesson.fromStored(kept[kind]);
    this.#find("name").value = this.#names[this.#kind];
    this.#render();
  }

  get isOpen() {
    return !this.#root.hidden;
  }

  /** @param {readonly string[]} categories that the gallery has */
  loadCategories(categories) {
    this.#categories = categories;
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
    this.#comparison.refreshSoon();
  }

  /** Other categories are searched: while nothing is collected, the one is meant to be taught. @param {readonly string[]} categories */
  followFilter(categories) {
    const idle = this.isOpen && this.#kind === "category" && this.#lesson.pairs.length === 0;
    if (idle && categories.length === 1 && categories[0] !== this.#names.category) this.#rename(categories[0]);
  }

  /** That photo is what the drawing on the board means. @param {Hit} hit */
  choose(hit) {
    return this.#withDrawing((sketch) => {
      this.#lesson.choose(sketch, galleryPhoto(hit));
      if (this.#kind === "category" && !this.#names.category && hit.category) this.#rename(hit.category);
    });
  }

  get #lesson() {
    return this.#lessons[this.#kind];
  }

  /** @returns {Subject} */
  get #subject() {
    return { kind: this.#kind, name: this.#names[this.#kind] };
  }

  get #isNewCategory() {
    return this.#kind === "category" && !this.#categories.includes(this.#names.category);
  }

  #listen() {
    this.#button.addEventListener("click", () => this.toggle());
    this.#find("close").addEventListener("click", () => this.close());
    for (const radio of this.#root.querySelectorAll("[name=teach-kind]")) radio.addEventListener("change", () => this.#switchTo(radio.value));
    this.#find("name").addEventListener("change", (event) => this.#rename(event.target.value));
    this.#find("files").addEventListener("change", (event) => {
      this.#addFiles([...event.target.files]);
      event.target.value = "";
    });
    this.#find("next").addEventListener("click", () => this.#page.onNext());
    this.#find("train").addEventListener("click", () => this.#train({ force: false }));
    this.#find("force").addEventListener("click", () => this.#train({ force: true }));
    this.#find("undo").addEventListener("click", () =>
      this.#act(() => this.#heads.rollback(this.#subject), `Undone: ${whereOf(this.#subject)} answer as they did before.`),
    );
  }

  /** @param {"category" | "profile"} kind */
  #switchTo(kind) {
    this.#kind = kind;
    this.#find("name").value = this.#names[kind];
    this.#forgetOutcome();
    this.#render();
    this.#loadVersions();
  }

  #rename(typed) {
    const name = typed.trim();
    const known = this.#kind === "category" ? this.#categories : this.#profiles.names;
    this.#names[this.#kind] = known.find((one) => one === name) ?? known.find((one) => one.toLowerCase() === name.toLowerCase()) ?? name;
    this.#find("name").value = this.#names[this.#kind];
    this.#forgetOutcome();
    this.#render();
    this.#keep();
    this.#loadVersions();
    // Its own photos are what a right answer is among. A category that is not there yet cannot be searched.
    if (this.#kind === "category" && name) this.#page.onNarrow(this.#isNewCategory ? [] : [this.#names.category]);
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
    this.#find("problem").hidden = true;
    this.#render();
    this.#keep();
  }

  #keep() {
    const { category, profile } = this.#lessons;
    keep("lessons", { names: this.#names, category: category.toStored(), profile: profile.toStored() });
  }

  async #train({ force }) {
    if (this.#busy) return;
    const subject = this.#subject;
    this.#setBusy(true);
    this.#forgetOutcome();
    try {
      const head = await this.#heads.train(subject, this.#lesson.toForm(), { force });
      await this.#afterChange(head.went_live ? subject : null);
      this.#showOutcome(head);
    } catch (error) {
      this.#failed(error);
    } finally {
      this.#setBusy(false);
    }
  }

  /** @param {() => Promise<unknown>} act on the versions @param {string} done what to say then */
  async #act(act, done) {
    this.#forgetOutcome();
    try {
      await act();
      await this.#afterChange(null);
      this.#find("done").textContent = done;
    } catch (error) {
      this.#failed(error);
    }
  }

  /** @param {Subject | null} learned what is in use from now on: a style is chosen at once, a new category searched */
  async #afterChange(learned) {
    await this.#profiles.load(learned?.kind === "profile" ? learned.name : undefined);
    await this.#loadVersions();
    await this.#page.onTaught();
    if (learned?.kind === "category") this.#page.onNarrow([learned.name]);
    this.#render();
  }

  async #loadVersions() {
    const subject = this.#subject;
    let known = { heads: [], live: null };
    try {
      if (subject.name) known = await this.#heads.list(subject);
    } catch (error) {
      if (!UNTAUGHT_CODES.has(error.code)) this.#failed(error);
    }
    if (subject.kind === this.#kind && subject.name === this.#names[this.#kind]) this.#versions.render(known.heads, known.live);
  }

  /** @param {Head} head */
  #showOutcome(head) {
    const { title, text } = verdict(head, this.#subject);
    this.#find("outcome").hidden = false;
    this.#find("outcome").classList.toggle("is-good", head.went_live && improves(head));
    this.#find("verdict").textContent = title;
    this.#find("verdict-text").textContent = text;
    showFigures(this.#find("figures"), head);
    this.#find("force").hidden = head.went_live;
    this.#find("undo").hidden = !head.went_live;
    this.#find("verdict").focus({ preventScroll: true });
    this.#find("outcome").scrollIntoView({ block: "nearest" });
    if (!head.went_live) return;
    const { kind, name } = this.#subject;
    const profile = this.#profiles.chosen;
    const categories = kind === "category" ? [name] : this.#page.readCategories();
    const without = kind === "category" ? { categories, profile, adapt: false } : { categories, profile: null };
    this.#comparison.show(without, { categories, profile });
  }

  #forgetOutcome() {
    this.#find("outcome").hidden = true;
    this.#find("problem").hidden = true;
    this.#find("done").textContent = "";
    this.#comparison.hide();
  }

  #setBusy(busy) {
    this.#busy = busy;
    this.#root.toggleAttribute("aria-busy", busy);
    this.#render();
  }

  #failed(error) {
    if (error instanceof Unreachable) this.#showProblem("No connection", error.message);
    else if (error instanceof Problem) this.#showProblem(error.title, error.message);
    else throw error;
  }

  #showProblem(title, detail) {
    this.#find("problem-title").textContent = title;
    this.#find("problem-detail").textContent = detail;
    this.#find("problem").hidden = false;
    this.#find("problem").scrollIntoView({ block: "nearest" });
  }

  #render() {
    if (!this.isOpen) return;
    const { label, placeholder } = NAME_WORDS[this.#kind];
    const lesson = this.#lesson;
    const foreign = this.#kind === "category" && this.#names.category ? lesson.foreignTo(this.#names.category) : [];
    const known = this.#kind === "category" ? this.#categories : this.#profiles.names;
    const answer = lesson.answerTo(drawingKey(this.#page.readDrawing()));
    this.#find("name-label").textContent = label;
    this.#find("name").placeholder = placeholder;
    this.#find("names").replaceChildren(...known.map((name) => new Option(name, name)));
    this.#find("own").hidden = this.#kind === "profile";
    this.#tray.render(lesson.pairs, foreign);
    this.#find("hint").textContent = this.#hint(answer, foreign);
    this.#find("next").hidden = !answer;
    this.#find("train").disabled = this.#busy || !this.#subject.name || lesson.drawn.length === 0 || foreign.length > 0;
    this.#find("train-label").textContent = this.#busy ? "Learning …" : "Learn";
    this.#find("train-count").textContent = lesson.drawn.length === 1 ? "1 pair" : `${lesson.drawn.length} pairs`;
    this.#page.onPicking(true, answer?.photo_id ?? null);
  }

  /** What to do next. */
  #hint(answer, foreign) {
    const pairs = this.#lesson.drawn.length;
    if (foreign.length) return `Photos of other categories cannot teach “${this.#names.category}”: remove them, or name their category.`;
    if (answer) return pairs < GOOD_PAIRS ? `Got it. Now draw another one: about ${GOOD_PAIRS} pairs teach best.` : "Got it. That is a good lesson; more pairs make it a better one.";
    const mark = this.#isNewCategory && this.#names.category ? "add photos of it" : "press ✓ on the photo that you meant";
    if (isBlank(this.#page.readDrawing())) return pairs ? `Draw the next one, then ${mark}.` : `Draw something, then ${mark}. Do so about ${GOOD_PAIRS} times.`;
    return `Now ${mark}.`;
  }

  #find(name) {
    return this.#root.querySelector(`#teach-${name}`);
  }
}
