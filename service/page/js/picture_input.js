/** Pictures for the board: chosen, pasted, or dropped anywhere on the page. */

import { PictureError, fileIn, readPicture } from "./drawing/pictures.js";

/**
 * @param {HTMLInputElement} input
 * @param {HTMLElement} board is marked while a file is dragged over the page
 * @param {HTMLElement} notice says why a picture cannot be used
 * @param {(picture: import("./drawing/drawing.js").Picture) => void} onPicture
 */
export function bindPictureInput(input, board, notice, onPicture) {
  const take = async (/** @type {File | undefined} */ file) => {
    if (!file) return;
    try {
      onPicture(await readPicture(file));
    } catch (error) {
      if (!(error instanceof PictureError)) throw error;
      notice.textContent = error.message;
      notice.hidden = false;
    }
  };
  input.addEventListener("change", () => {
    take(input.files?.[0]);
    input.value = ""; // so that choosing the same file again is a change
  });
  document.addEventListener("paste", (event) => take(fileIn(event.clipboardData)));
  // The whole page takes the drop: a picture that misses the board must not navigate away from the drawing.
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    if (event.dataTransfer?.types.includes("Files")) board.classList.add("is-drop-target");
  });
  document.addEventListener("dragleave", (event) => event.relatedTarget ?? board.classList.remove("is-drop-target"));
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    board.classList.remove("is-drop-target");
    take(fileIn(event.dataTransfer));
  });
}
