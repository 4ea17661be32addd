/** The board: strokes by mouse, finger or pen, in units of which the board has 256 a side. */

export const BOARD_UNITS = 256;
const LINE_UNITS = 2.5;

/** @typedef {[x: number, y: number][]} Stroke */

export class Board {
  /** @type {Stroke[]} */
  strokes = [];
  /** @type {ImageBitmap | null} */
  picture = null;

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {() => void} changed called after each stroke, undo and clear
   */
  constructor(canvas, changed) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d", { willReadFrequently: true });
    this.changed = changed;
    this.drawing = false;
    canvas.addEventListener("pointerdown", (event) => this.#begin(event));
    canvas.addEventListener("pointermove", (event) => this.#go(event));
    for (const kind of ["pointerup", "pointercancel"]) canvas.addEventListener(kind, () => this.#end());
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.paint());
  }

  get isBlank() {
    return !this.strokes.length && !this.picture;
  }

  /** What is searched for: strokes as they are, or with a picture the pixels of both. */
  sketch() {
    if (!this.picture) return this.strokes;
    this.paint("#000", "#fff");
    const pixels = this.context.getImageData(0, 0, this.canvas.width, this.canvas.height);
    this.paint();
    return { width: pixels.width, height: pixels.height, data: pixels.data };
  }

  undo() {
    if (this.strokes.length) this.strokes.pop();
    else this.picture = null;
    this.#update();
  }

  clear() {
    this.strokes = [];
    this.picture = null;
    this.#update();
  }

  /** @param {Blob} file an image; strokes go over it. Rejects for what is none. */
  async show(file) {
    this.picture = await createImageBitmap(file);
    this.strokes = [];
    this.#update();
  }

  /** @param {string} [ink] @param {string} [paper] colours; those of the page */
  paint(ink = getComputedStyle(this.canvas).color, paper = "") {
    const { context, canvas } = this;
    context.resetTransform();
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.fillStyle = paper || "transparent";
    context.fillRect(0, 0, canvas.width, canvas.height);
    if (this.picture) {
      const scale = canvas.width / Math.max(this.picture.width, this.picture.height);
      const [width, height] = [this.picture.width * scale, this.picture.height * scale];
      context.drawImage(this.picture, (canvas.width - width) / 2, (canvas.height - height) / 2, width, height);
    }
    context.scale(canvas.width / BOARD_UNITS, canvas.height / BOARD_UNITS);
    context.lineCap = context.lineJoin = "round";
    context.lineWidth = LINE_UNITS;
    context.strokeStyle = this.picture ? "#000" : ink;
    for (const stroke of this.strokes) {
      context.beginPath();
      context.moveTo(...stroke[0]);
      for (const point of stroke) context.lineTo(...point);
      context.stroke();
    }
  }

  /** @param {PointerEvent} event */
  #begin(event) {
    if (event.button !== 0 || this.drawing) return;
    this.canvas.setPointerCapture(event.pointerId);
    this.drawing = true;
    this.strokes.push([this.#at(event)]);
    this.paint();
  }

  /** @param {PointerEvent} event */
  #go(event) {
    if (!this.drawing) return;
    const events = event.getCoalescedEvents?.() ?? [];
    this.strokes[this.strokes.length - 1].push(...(events.length ? events : [event]).map((one) => this.#at(one)));
    this.paint();
  }

  #end() {
    if (!this.drawing) return;
    this.drawing = false;
    this.#update();
  }

  /** @param {PointerEvent} event @returns {[number, number]} */
  #at(event) {
    const { left, top, width, height } = this.canvas.getBoundingClientRect();
    return [((event.clientX - left) / width) * BOARD_UNITS, ((event.clientY - top) / height) * BOARD_UNITS];
  }

  #update() {
    this.paint();
    this.changed();
  }
}
