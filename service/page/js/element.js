/**
 * Typed access to the elements of index.html. What the page's script looks up is always there: where it is not, or is
 * of another class, script and page do not belong together, and a TypeError says so.
 *
 * @typedef {{(name: string): HTMLElement, <E extends Element>(name: string, type: new () => E): E}} Find
 */

/**
 * @template {Element} E
 * @param {ParentNode} root
 * @param {string} selector
 * @param {new () => E} type
 * @returns {E} the first match below `root`
 * @throws {TypeError} no match, or the match is of another class
 */
export function query(root, selector, type) {
  const element = root.querySelector(selector);
  if (element instanceof type) return element;
  throw new TypeError(`${selector} ${element ? `is not of ${type.name}` : "is missing"}.`);
}

/**
 * @param {ParentNode} root
 * @param {string} [prefix] that the ids of a part of the page have in common
 * @returns {Find} looks an element below `root` up by its id, an HTMLElement unless a class is named
 */
export function finder(root, prefix = "") {
  /** @param {string} name @param {new () => Element} type @returns {any} */
  const find = (name, type = HTMLElement) => query(root, `#${prefix}${name}`, type);
  return find;
}

/** @param {HTMLTemplateElement} template @returns {HTMLElement} a copy of its only element */
export function instantiate(template) {
  const element = template.content.firstElementChild?.cloneNode(true);
  if (element instanceof HTMLElement) return element;
  throw new TypeError(`The template ${template.id} has no element.`);
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {CanvasRenderingContext2DSettings} [settings]
 * @returns {CanvasRenderingContext2D}
 */
export function context2d(canvas, settings) {
  const context = canvas.getContext("2d", settings);
  if (context) return context;
  throw new TypeError("This browser offers no 2D canvas.");
}

/** @param {number} side_px @param {CanvasRenderingContext2DSettings} [settings] @returns {CanvasRenderingContext2D} of a new square canvas */
export function blankContext(side_px, settings) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = side_px;
  return context2d(canvas, settings);
}

/** @param {EventTarget | null} target of an event @returns {Node | null} */
export function nodeOf(target) {
  return target instanceof Node ? target : null;
}
