/** Keyboard shortcuts of the page. Keys that type, or that belong to an open dialog, are left alone. */

const TYPES_TEXT = "input:not([type=range]):not([type=checkbox]):not([type=file]), select, textarea, [contenteditable]";

/**
 * @param {Record<string, () => void>} actions by "mod+z", "mod+shift+z", "e", "[", "?"; mod is Ctrl, or Command on a Mac
 * @param {() => boolean} singleKeys whether keys without a modifier are shortcuts
 */
export function bindShortcuts(actions, singleKeys) {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.altKey || event.isComposing || isForOthers(event.target)) return;
    const modified = event.ctrlKey || event.metaKey;
    if (!modified && !singleKeys()) return;
    const key = event.key.toLowerCase();
    const name = modified ? `mod+${event.shiftKey ? "shift+" : ""}${key}` : key;
    const action = actions[name];
    if (!action) return;
    event.preventDefault();
    action();
  });
}

/** @param {EventTarget | null} target of a key press @returns {boolean} whether a dialog is open, or the key types text */
function isForOthers(target) {
  return document.querySelector("dialog[open]") !== null || (target instanceof Element && target.matches(TYPES_TEXT));
}
