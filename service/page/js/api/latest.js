/** Only the newest of several asynchronous tasks counts. */

/** What `Latest.run` returns for a task that a newer one replaced. */
export const STALE = Symbol("stale");

/**
 * A new task aborts the one before. Should the older result come all the same (it was past aborting), its number tells
 * that it is stale.
 */
export class Latest {
  #number = 0;
  #abort = new AbortController();

  /**
   * @template T
   * @param {(signal: AbortSignal) => Promise<T>} task
   * @returns {Promise<T | typeof STALE>}
   */
  async run(task) {
    this.cancel();
    const number = this.#number;
    this.#abort = new AbortController();
    try {
      const value = await task(this.#abort.signal);
      return number === this.#number ? value : STALE;
    } catch (error) {
      if (number !== this.#number) return STALE;
      throw error;
    }
  }

  /** Aborts the task that runs. */
  cancel() {
    this.#number++;
    this.#abort.abort();
  }
}
