/** Sizes, ages and times in the page's language. */

import { LANGUAGE } from "../texts.js";

const when = new Intl.DateTimeFormat(LANGUAGE, { dateStyle: "medium", timeStyle: "short" });
/** @type {[number, string][]} seconds and the unit's name, the longest first */
const AGES = [[86_400, "day"], [3600, "hour"], [60, "minute"], [1, "second"]];
/** @type {[number, string][]} */
const SIZES = [[1e12, "terabyte"], [1e9, "gigabyte"], [1e6, "megabyte"], [1e3, "kilobyte"], [1, "byte"]];

/** @param {number} seconds @returns {string} in the longest unit that there is one of at least: "3 hours" */
export function ageOf(seconds) {
  return inUnit(seconds, AGES, "long");
}

/** @param {number} bytes @returns {string} "140 MB" */
export function sizeOf(bytes) {
  return inUnit(bytes, SIZES, "short");
}

/** @param {string} moment as the API has it @returns {string} */
export function timeOf(moment) {
  return when.format(new Date(moment));
}

/** @param {number} value @param {[number, string][]} units @param {"long" | "short"} unitDisplay @returns {string} */
function inUnit(value, units, unitDisplay) {
  const [size, unit] = units.find(([one]) => value >= one) ?? units[units.length - 1];
  const format = new Intl.NumberFormat(LANGUAGE, { style: "unit", unit, unitDisplay, maximumFractionDigits: value / size < 10 && size > 1 ? 1 : 0 });
  return format.format(value / size);
}
