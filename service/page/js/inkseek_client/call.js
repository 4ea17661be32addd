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

/** @param {string} photoId @returns {string} the photo's own path, which holds for ids that end as routes do, too */
export function pathOfPhoto(photoId) {
  return `/v1/photos/${quoted(photoId)}`;
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

/** @param {string} kind how the media type begins @returns {(response: Response) => Promise<Blob>} a reader of files */
export function blobOf(kind) {
  return async (response) => {
    const type = response.headers.get("Content-Type") ?? "";
    if (type.startsWith(kind)) return response.blob();
    throw new SyntaxError(`the answer is no ${kind}… but ${type || "of no type"}`);
  };
}

export const readPicture = blobOf("image/");

/** @param {Response} response @returns {Promise<void>} throws SyntaxError for an answer that says something */
export async function readNothing(response) {
  if (response.status !== 204) throw new SyntaxError("an empty answer was expected");
}
