/**
 * Where the service is: at the root of a host, or below a path of a proxy, which the service itself need not know of. The page
 * knows it from its own script, which lies in `page/built/` there.
 */

import { query } from "../element.js";

const ROOT = new URL("../../", query(document, "script[type=module]", HTMLScriptElement).src);

/** The page's `?gallery=NAME`: which gallery all requests are for; null for the default one. */
export const GALLERY = new URLSearchParams(location.search).get("gallery");

/** Where the client finds the service. */
export const SERVICE = ROOT.href.replace(/\/$/, "");

/** @param {string} url @returns {boolean} whether it is one of the API, which may need a key */
export function isOfApi(url) {
  return url.startsWith(below("/v1/"));
}

/** @param {string} path from the service's own root @returns {string} its URL */
export function below(path) {
  return new URL(path.replace(/^\/+/, "./"), ROOT).href;
}
