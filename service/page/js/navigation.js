/**
 * The browser's history: the search that the address says, and what "back" closes. Each thing that is open (a dialog, the sheet of
 * categories) has an entry, which says how many are; closing it otherwise steps back over its entry.
 */

export class Navigation {
  /** @type {(() => void)[]} closes what is open, the innermost last */
  #open = [];
  /** Our own step back is on its way: until it arrives, the history must not be written. */
  #stepping = false;
  /** @type {(() => void)[]} */
  #waiting = [];
  /** The present entry was made for something that has closed: the next page takes it. */
  #spare = false;
  #readAddress;
  #onFollow;

  /**
   * @param {{address: () => string, onFollow: () => void}} page address: of the present search; onFollow: the address is another one
   */
  constructor({ address, onFollow }) {
    this.#readAddress = address;
    this.#onFollow = onFollow;
    addEventListener("popstate", (event) => this.#arrived(event.state?.depth ?? 0));
  }

  /** @param {() => void} close closes what has just opened */
  opened(close) {
    this.#open.push(close);
    const depth = this.#open.length;
    this.#whenSettled(() => history.pushState({ depth, opened: true }, ""));
  }

  /** @param {() => void} close of what has closed, by whatever way */
  closed(close) {
    if (!this.#forget(close)) return;
    const depth = this.#open.length;
    this.#whenSettled(() => {
      if (history.state?.opened && history.state.depth === depth + 1) {
        this.#stepping = true;
        history.back();
      } else history.replaceState({ depth }, "");
    });
  }

  /** As `closed`, but its entry is kept for the page that is written next. @param {() => void} close */
  left(close) {
    if (this.#forget(close)) this.#spare = true;
  }

  /** Writes the address of the present search. @param {{push: boolean}} options push: "back" returns to the search before */
  write({ push }) {
    const address = this.#readAddress();
    this.#whenSettled(() => {
      const spare = this.#spare;
      this.#spare = false;
      if (new URL(address, location.href).href === location.href && !spare) return;
      if (push && !spare) history.pushState({ depth: this.#open.length }, "", address);
      else history.replaceState(spare ? { depth: this.#open.length } : history.state, "", address);
    });
  }

  /** @param {number} depth how many things were open at the entry that the browser arrived at */
  #arrived(depth) {
    if (this.#stepping) {
      this.#stepping = false;
      this.#rewrite();
      while (!this.#stepping && this.#waiting.length) this.#waiting.shift()?.();
      return;
    }
    if (depth >= this.#open.length) {
      this.#onFollow();
      return;
    }
    while (this.#open.length > depth) this.#open.pop()?.();
    this.#rewrite();
  }

  /** What was searched for while something was open belongs to the entry below it, too. */
  #rewrite() {
    history.replaceState({ depth: Math.min(history.state?.depth ?? 0, this.#open.length) }, "", this.#readAddress());
  }

  /** @param {() => void} close @returns {boolean} whether it was open */
  #forget(close) {
    const index = this.#open.lastIndexOf(close);
    if (index >= 0) this.#open.splice(index, 1);
    return index >= 0;
  }

  /** @param {() => void} task */
  #whenSettled(task) {
    if (this.#stepping) this.#waiting.push(task);
    else task();
  }
}
