/**
 * A call as a value: one request, and how its answer is read. Whoever sends calls alone needs nothing else of the client.
 *
 * @template T
 * @typedef {object} Call   of a route of the OpenAPI document
 * @property {"GET" | "POST" | "PUT" | "PATCH" | "DELETE"} method
 * @property {string} path   begins with a slash, and is escaped
 * @property {(response: Response) => Promise<T>} read   of a successful answer; throws SyntaxError for one of something else
 * @property {string} [query]   escaped, without the question mark
 * @property {BodyInit} [body]
 * @property {string} [contentType]   of the body; a form has none, fetch names it with its boundary
 * @property {boolean} [idempotent]   false: sent twice, it does more than sent once, so that it is not sent again when nobody
 *   knows whether it arrived
 * @property {boolean} [ofGallery]   false: the route is not there below the names of galleries
 * @property {boolean} [slow]   it carries files or fits an adapter, and gets four times the sender's time limit
 */

/** @param {string} name an id or a category @returns {string} it as part of a path; slashes stay, as the service's ids have them */
export function quoted(name) {
  return name.split("/").map(encodeURIComponent).join("/");
}

/** @param {object} parameters undefined and null are left out, lists are repeated @returns {string} the query, escaped */
export function queryOf(parameters) {
  return Object.entries(parameters)
    .flatMap(([name, value]) => [value].flat().map((one) => [name, one]))
    .filter(([, value]) => value !== undefined && value !== null)
    .map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`)
    .join("&");
}

/** @param {string} member that the answer's object has @returns {(response: Response) => Promise<any>} a reader of JSON */
export function jsonWith(member) {
  return async (response) => {
    const answer = await response.json();
    if (typeof answer === "object" && answer !== null && member in answer) return answer;
    throw new SyntaxError(`the answer has no ${member}`);
  };
}

/** @param {Response} response @returns {Promise<Blob>} */
export async function readBlob(response) {
  return response.blob();
}

/** @param {Response} response @returns {Promise<string>} */
export async function readText(response) {
  return response.text();
}

/** Reads an answer without a body. @returns {Promise<void>} */
export async function readNothing() {}
