/** The API key of the user, where the service asks for one: kept in this browser until it is forgotten. */

const STORAGE_KEY = "inkseek.api-key";

/** Where storage is forbidden, the key lives as long as the page. @type {string | null} */
let unstored = null;
/** @type {(problem: import("./problem.js").Problem) => void} */
let listener = () => {};

/** @returns {string | null} */
export function readKey() {
  try {
    return localStorage.getItem(STORAGE_KEY) ?? unstored;
  } catch {
    return unstored;
  }
}

/** @param {string} key @returns {boolean} whether it outlives the page */
export function keepKey(key) {
  unstored = key;
  try {
    localStorage.setItem(STORAGE_KEY, key);
    return true;
  } catch {
    return false;
  }
}

export function forgetKey() {
  unstored = null;
  try {
    localStorage.removeItem(STORAGE_KEY);
  } catch {
    // Storage is forbidden, so there is none.
  }
}

/** @param {(problem: import("./problem.js").Problem) => void} heard when a request needs a key, or another one */
export function onKeyNeeded(heard) {
  listener = heard;
}

/** @param {import("./problem.js").Problem} problem that a request was answered with */
export function reportProblem(problem) {
  if (problem.status === 401) listener(problem);
}
