/** Keyboard shortcuts of the page. Keys that type, or that belong to an open dialog, are left alone. */

const TYPES_TEXT = "input:not([type=range]):not([type=checkbox]):not([type=file]), select, textarea, [contenteditable]";

/**
 * @param {Record<string, () => void | boolean>} actions by "mod+z", "mod+shift+z", "e", "[", "?"; mod is Ctrl, or Command on a Mac; one
 *   that answers false leaves the key to the browser
 * @param {() => boolean} singleKeys whether keys without a modifier are shortcuts
 */
export function bindShortcuts(actions, singleKeys) {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.altKey || event.isComposing || isForOthers(event)) return;
    const modified = event.ctrlKey || event.metaKey;
    if (!modified && !singleKeys()) return;
    const key = event.key.toLowerCase();
    const name = modified ? `mod+${event.shiftKey ? "shift+" : ""}${key}` : key;
    const action = actions[name];
    if (!action) return;
    if (action() !== false) event.preventDefault();
  });
}

/** @param {KeyboardEvent} event @returns {boolean} whether a dialog is open, or the key types text or moves a slider */
function isForOthers({ target, key }) {
  if (document.querySelector("dialog[open]")) return true;
  return target instanceof Element && target.matches(key.startsWith("Arrow") ? "input, select, textarea" : TYPES_TEXT);
}
