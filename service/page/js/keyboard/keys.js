/** Which key does what, and the list of them. */

import { finder } from "../element.js";
import { Modal } from "../modal.js";
import * as session from "../session.js";
import { bindShortcuts } from "./shortcuts.js";

/** How far an arrow moves a drawing, in units of the board. */
const SHIFT = 8;

/**
 * @typedef {{board: import("../drawing/board.js").Board, tools: import("../drawing/tools.js").Tools,
 *   preview: import("../drawing/preview.js").Preview, grid: import("../results/grid.js").ResultsGrid,
 *   picker: import("../results/category_picker.js").CategoryPicker, teach: import("../teach/panel.js").TeachPanel,
 *   drawings: import("../keeping/dialog.js").DrawingsDialog}} Parts   of the page
 */

/** @param {Parts} page @param {import("../navigation.js").Navigation} navigation */
export function bindKeys(page, navigation) {
  const find = finder(document);
  const dialog = find("help-dialog");
  const help = new Modal(dialog, navigation);
  const singleKeys = find("single-keys", HTMLInputElement);
  singleKeys.checked = session.loadSingleKeys();
  singleKeys.addEventListener("change", () => session.saveSingleKeys(singleKeys.checked));
  find("help-button").addEventListener("click", () => help.open());
  find("help-close").addEventListener("click", () => help.close());
  bindShortcuts({ ...editing(page), ...moving(page), ...going(page, () => help.open()) }, () => singleKeys.checked);
}

/** @param {Parts} page */
function editing({ board, tools }) {
  return {
    "mod+z": () => board.undo(),
    "mod+shift+z": () => board.redo(),
    "mod+y": () => board.redo(),
    p: () => tools.choose("pen"),
    e: () => tools.choose(board.tool === "eraser" ? "pen" : "eraser"),
    "[": () => tools.changeWidth(-0.5),
    "]": () => tools.changeWidth(0.5),
    f: () => board.flip(),
    delete: () => board.clear(),
    backspace: () => board.clear(),
  };
}

/** Arrows move the drawing with its tool, and the zoomed view; else they scroll the page. @param {Parts} page */
function moving({ board, tools }) {
  const shift = (/** @type {number} */ x, /** @type {number} */ y) => () => {
    if (board.tool === "move") board.shift({ x: x * SHIFT, y: y * SHIFT });
    else if (board.zoom !== 1) board.shift({ x: -x * SHIFT, y: -y * SHIFT });
    else return false;
    return true;
  };
  return {
    v: () => tools.choose(board.tool === "move" ? "pen" : "move"),
    "+": () => tools.zoom(1),
    "=": () => tools.zoom(1), // the same key without Shift
    "-": () => tools.zoom(-1),
    0: () => board.resetView(),
    arrowleft: shift(-1, 0),
    arrowright: shift(1, 0),
    arrowup: shift(0, -1),
    arrowdown: shift(0, 1),
  };
}

/** @param {Parts} page @param {() => void} onHelp */
function going({ preview, grid, picker, teach, drawings }, onHelp) {
  return {
    o: () => finder(document)("image-file").click(),
    m: () => preview.toggle(),
    s: () => drawings.open(),
    t: () => teach.toggle(),
    "/": () => picker.open(true),
    w: () => finder(document)("words").focus(),
    r: () => grid.focus(),
    "?": onHelp,
  };
}
