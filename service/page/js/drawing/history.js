/**
 * Undo and redo over immutable values. The value may be anything that is replaced and never changed in place.
 * @template T
 */
export class History {
  /** Enough for any drawing; the marks are shared between the states, so a state costs a list of references. */
  static LIMIT = 500;
  /** @type {T[]} */
  #past = [];
  /** @type {T} */
  #present;
  /** @type {T[]} */
  #future = [];

  /** @param {T} initial */
  constructor(initial) {
    this.#present = initial;
  }

  /** @returns {T} */
  get present() {
    return this.#present;
  }

  get canUndo() {
    return this.#past.length > 0;
  }

  get canRedo() {
    return this.#future.length > 0;
  }

  /** Makes `next` the present; what was undone before is forgotten. @param {T} next */
  push(next) {
    this.#past.push(this.#present);
    if (this.#past.length > History.LIMIT) this.#past.shift();
    this.#present = next;
    this.#future = [];
  }

  /** @returns {boolean} whether there was something to undo */
  undo() {
    return this.#step(this.#past, this.#future);
  }

  /** @returns {boolean} whether there was something to redo */
  redo() {
    return this.#step(this.#future, this.#past);
  }

  /** @param {T[]} from @param {T[]} to @returns {boolean} */
  #step(from, to) {
    const state = from.pop();
    if (state === undefined) return false;
    to.push(this.#present);
    this.#present = state;
    return true;
  }
}
