/**
 * What the page uses of browsers newer than its oldest ones (Safari 15, Firefox 100), tested for here and nowhere else. A test
 * deletes each of them and uses the page.
 */

/** @param {HTMLElement} element @param {boolean} on nobody can press or focus what is in it (Safari 15.5) */
export function setInert(element, on) {
  if ("inert" in HTMLElement.prototype) {
    element.inert = on;
    return;
  }
  element.classList.toggle("is-inert", on);
  element.setAttribute("aria-disabled", String(on));
  for (const field of element.querySelectorAll("input, button, select")) /** @type {HTMLInputElement} */ (field).disabled = on;
}

/** @param {Element} element @param {Keyframe[]} frames @param {KeyframeAnimationOptions} timing */
export function animate(element, frames, timing) {
  if ("animate" in element) element.animate(frames, timing);
}

/** @param {HTMLElement} element @param {() => void} onResize also called once at first */
export function observeSize(element, onResize) {
  if ("ResizeObserver" in window) new ResizeObserver(onResize).observe(element);
  else {
    addEventListener("resize", onResize);
    onResize();
  }
}

/** @param {string} copied @returns {Promise<boolean>} whether it is on the clipboard: only secure pages may, and only if allowed */
export async function copyText(copied) {
  try {
    await navigator.clipboard.writeText(copied);
    return true;
  } catch {
    return false;
  }
}
