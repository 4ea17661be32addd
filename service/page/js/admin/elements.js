/** Elements that the panels are made of. */

/**
 * @template {keyof HTMLElementTagNameMap} N
 * @param {N} name
 * @param {string} [className]
 * @param {string} [words] its text
 * @returns {HTMLElementTagNameMap[N]}
 */
export function make(name, className = "", words = "") {
  const element = document.createElement(name);
  if (className) element.className = className;
  if (words) element.textContent = words;
  return element;
}

/** @param {string} words @param {string} label for screen readers, which hear no row around it @param {() => void} onPress @returns {HTMLButtonElement} */
export function button(words, label, onPress) {
  const element = make("button", "button", words);
  element.type = "button";
  if (label !== words) element.setAttribute("aria-label", label);
  element.addEventListener("click", onPress);
  return element;
}

/**
 * @typedef {object} Row   of a list
 * @property {string} key   which of the list's things it shows
 * @property {string} name
 * @property {string} [state]
 * @property {"" | "good" | "bad"} [mood]   of the state
 * @property {string[]} facts   a line each
 * @property {HTMLElement[]} [more]   below the facts
 * @property {HTMLElement[]} [actions]
 */

/** @param {Row} row @returns {HTMLLIElement} */
function rowElement({ key, name, state = "", mood = "", facts, more = [], actions = [] }) {
  const item = make("li", "row");
  item.dataset.key = key;
  const words = make("div");
  const title = make("p", "row-name", name);
  title.append(make("span", mood ? `row-state is-${mood}` : "row-state", state));
  words.append(title, ...facts.map((fact) => make("p", "row-facts", fact)), ...more);
  const side = make("div", "row-actions");
  side.append(...actions);
  item.append(words);
  if (actions.length) item.append(side);
  return item;
}

/**
 * Shows rows in a list. One that is as it was stays the same element, so that a look every few seconds takes no focus and no
 * selection away; where the focused one is another, the focus goes to its first button, or to the list.
 *
 * @param {HTMLElement} list
 * @param {readonly Row[]} rows
 */
export function showRows(list, rows) {
  const before = new Map([...list.children].map((child) => [/** @type {HTMLElement} */ (child).dataset.key, child]));
  const focused = document.activeElement?.closest("li");
  const key = focused && list.contains(focused) ? focused.dataset.key : undefined;
  const next = rows.map((row) => {
    const made = rowElement(row);
    const kept = before.get(row.key);
    return kept?.isEqualNode(made) ? kept : made;
  });
  if (next.length === list.children.length && next.every((one, place) => one === list.children[place])) return;
  list.replaceChildren(...next);
  if (key === undefined) return;
  const again = next.find((one) => /** @type {HTMLElement} */ (one).dataset.key === key);
  const target = again?.contains(document.activeElement) ? null : (again?.querySelector("button") ?? list);
  if (target instanceof HTMLElement) target.focus({ preventScroll: true });
}
