/** What to search for instead, where the address names something that is no longer there. */

import { text } from "../texts.js";
import { closeNames } from "./close_names.js";

/**
 * @typedef {{k: number, categories: readonly string[], filters: readonly string[], profile: string | null,
 *   like: import("./search.js").QueryPhoto | null}} Scope   of the search that failed
 * @typedef {{categories: readonly string[], profiles: readonly string[], galleries: readonly string[]}} Known   what there is
 * @typedef {{label: string, change?: Partial<Scope>, gallery?: string | null}} Offer   change: of the search; gallery: another one, null
 *   for the default
 */

const CATEGORY_CODES = new Set(["unknown_category", "category_not_found"]);
const PROFILE_CODES = new Set(["unknown_profile", "profile_not_found"]);

/** @param {import("../api/problem.js").Problem} problem @param {Scope} scope @param {Known} known @param {string | null} gallery @returns {Offer[]} */
export function offersFor(problem, scope, known, gallery) {
  if (CATEGORY_CODES.has(problem.code)) return categoryOffers(scope, known.categories);
  if (PROFILE_CODES.has(problem.code)) return profileOffers(scope, known.profiles);
  if (problem.code === "gallery_not_found") return galleryOffers(gallery ?? "", known.galleries);
  if (problem.code === "photo_not_found" && scope.like) return [{ label: text("offers.drawing"), change: { like: null } }];
  if (problem.code === "filter_invalid" || (problem.code === "parameter_invalid" && scope.filters.length)) {
    return [{ label: text("offers.no_filter", { count: scope.filters.length }), change: { filters: [] } }];
  }
  return [];
}

/** @param {Scope} scope @param {readonly string[]} known @returns {Offer[]} */
function categoryOffers({ categories }, known) {
  const there = categories.filter((category) => known.includes(category));
  const missing = categories.filter((category) => !known.includes(category));
  const close = [...new Set(missing.flatMap((category) => closeNames(category, known)))].filter((name) => !there.includes(name));
  const rest = there.length ? [{ label: text("offers.rest", { names: there.join(", ") }), change: { categories: there } }] : [];
  const all = { label: text("categories.all"), change: { categories: [] } };
  return [...close.map((name) => ({ label: name, change: { categories: [...there, name] } })), ...rest, all];
}

/** @param {Scope} scope @param {readonly string[]} known @returns {Offer[]} */
function profileOffers({ profile }, known) {
  const close = closeNames(profile ?? "", known).map((name) => ({ label: name, change: { profile: name } }));
  return [...close, { label: text("profile.anyone"), change: { profile: null } }];
}

/** @param {string} gallery @param {readonly string[]} known @returns {Offer[]} all where none is close: there are few */
function galleryOffers(gallery, known) {
  const close = closeNames(gallery, known);
  const others = close.length ? close : known.slice(0, 4);
  return [...others.map((name) => ({ label: name, gallery: name })), { label: text("offers.default_gallery"), gallery: null }];
}
