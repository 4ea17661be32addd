/** A swipe of one finger to the left or right. */

/** Shorter ones are taps that slipped. */
const LEAST_PX = 48;

/** @param {HTMLElement} element @param {(step: 1 | -1) => void} onSwipe 1: to the left, so that the next thing comes */
export function bindSwipe(element, onSwipe) {
  /** @type {{id: number, x: number, y: number} | null} */
  let start = null;
  element.addEventListener("pointerdown", (event) => {
    const alone = event.pointerType === "touch" && event.isPrimary;
    start = alone ? { id: event.pointerId, x: event.clientX, y: event.clientY } : null;
  });
  element.addEventListener("pointerup", (event) => {
    if (!start || event.pointerId !== start.id) return;
    const [across, along] = [event.clientX - start.x, event.clientY - start.y];
    start = null;
    if (Math.abs(across) >= LEAST_PX && Math.abs(across) > 1.5 * Math.abs(along)) onSwipe(across < 0 ? 1 : -1);
  });
  element.addEventListener("pointercancel", () => (start = null));
}
