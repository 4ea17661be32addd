/** The support sets of the page, one for a category and one for a drawing style, kept across reloads. */

import { SupportSet } from "./support_set.js";
import { load, save } from "./tab_storage.js";

const KEY = "support";

/** @typedef {import("../../api/adapters.js").Target["kind"]} Kind */
/** @typedef {Record<Kind, string>} Names   of the targets */

export class SupportSets {
  /** @type {Record<Kind, SupportSet>} */
  #sets = { category: new SupportSet(), profile: new SupportSet() };

  /** @param {Kind} kind @returns {SupportSet} */
  of(kind) {
    return this.#sets[kind];
  }

  /** @param {Names} names kept with them */
  save(names) {
    const { category, profile } = this.#sets;
    return save(KEY, { names, category: category.toStored(), profile: profile.toStored() });
  }

  /** @returns {Promise<Names | null>} the names that were kept with them; null: nothing was kept */
  async restore() {
    const kept = await load(KEY);
    if (!kept) return null;
    this.#sets = { category: await SupportSet.fromStored(kept.category), profile: await SupportSet.fromStored(kept.profile) };
    return kept.names;
  }
}
