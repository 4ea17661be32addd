/** Ways on from a search that cannot be answered as it is: what the address names is gone, or the session of a proxy has ended. */

import { Problem } from "./api/problem.js";
import { onSignedOut } from "./api/request.js";
import { GALLERY } from "./api/root.js";
import { finder } from "./element.js";
import { offersFor } from "./results/offers.js";

/** @typedef {import("./results/offers.js").Scope} Scope */

export class Recovery {
  #client;
  #page;
  /** @type {readonly string[]} */
  #galleries = [];

  /**
   * @param {import("./api/client.js").Client} client
   * @param {{scope: () => Scope, categories: () => readonly string[], profiles: () => readonly string[], onChange: (change: Partial<Scope>) => void}} page
   */
  constructor(client, page) {
    this.#client = client;
    this.#page = page;
    bindSignIn();
  }

  /** @param {Problem} problem @returns {{label: string, onChoose: () => void}[]} what to do instead */
  offers(problem) {
    const known = { categories: this.#page.categories(), profiles: this.#page.profiles(), galleries: this.#galleries };
    return offersFor(problem, this.#page.scope(), known, GALLERY).map(({ label, change, gallery }) => ({
      label,
      onChoose: () => (change ? this.#page.onChange(change) : location.assign(addressOfGallery(gallery ?? null))),
    }));
  }

  /** Finds out which galleries there are; without an answer, the default one alone is offered. */
  async loadGalleries() {
    this.#galleries = await this.#client.galleries().catch(() => []);
  }

  /** @param {readonly string[]} categories that are searched in @returns {Problem | null} that some are not there, before a search says so */
  missingCategory(categories) {
    const known = this.#page.categories();
    const missing = categories.find((category) => !known.includes(category));
    return missing === undefined ? null : Problem.ofCategory(missing);
  }
}

/** Shows that the user is signed out as soon as a request says so; the link loads the page anew, which leads to the login page. */
function bindSignIn() {
  const find = finder(document);
  onSignedOut(() => (find("signed-out").hidden = false));
  find("sign-in").addEventListener("click", (event) => {
    event.preventDefault(); // its address may differ from the page's by what follows the # alone
    location.reload();
  });
}

/** @param {string | null} gallery null: the default one @returns {string} the page's address for it, without what may not exist there */
function addressOfGallery(gallery) {
  const url = new URL(location.pathname, location.href);
  if (gallery !== null) url.searchParams.set("gallery", gallery);
  return url.href;
}
