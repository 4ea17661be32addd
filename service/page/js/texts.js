/** The texts of the page in its language: index.html brings them along, from the file of that language. */

import { query } from "./element.js";

/** Of the page, as its document says: "en", "de". */
export const LANGUAGE = document.documentElement.lang;

/** @typedef {string | Record<string, string>} Text   by the plural form of its {count}, where it has several */

/** @type {Record<string, Text>} */
const TEXTS = JSON.parse(query(document, "#texts", HTMLScriptElement).text);
const forms = new Intl.PluralRules(LANGUAGE);
const whole = new Intl.NumberFormat(LANGUAGE);
const hundredths = new Intl.NumberFormat(LANGUAGE, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const tenths = new Intl.NumberFormat(LANGUAGE, { minimumFractionDigits: 1, maximumFractionDigits: 1 });

/**
 * @param {string} key
 * @param {Record<string, string | number>} [values] put in where the text has {their name}; `count` chooses the plural form
 * @returns {string}
 * @throws {TypeError} there is no such text
 */
export function text(key, values = {}) {
  const kept = TEXTS[key];
  const form = typeof kept === "object" ? (kept[forms.select(Number(values.count))] ?? kept.other) : kept;
  if (form === undefined) throw new TypeError(`There is no text ${key}.`);
  return form.replace(/\{\w+\}/g, (place) => shown(values[place.slice(1, -1)]));
}

/** @param {string} key @returns {string | null} the text, if there is one */
export function knownText(key) {
  return key in TEXTS ? text(key) : null;
}

/** @param {string | number} value @returns {string} */
function shown(value) {
  return typeof value === "number" ? whole.format(value) : value;
}

/** @param {number} value @returns {string} with two decimals */
export function inHundredths(value) {
  return hundredths.format(value);
}

/** @param {number} value @returns {string} with one decimal */
export function inTenths(value) {
  return tenths.format(value);
}

/** @param {number} value @returns {string} */
export function inWhole(value) {
  return whole.format(value);
}
