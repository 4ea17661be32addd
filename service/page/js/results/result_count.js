/** How many results are shown: a choice. */

const COUNTS = [12, 24, 48, 96, 200];

export class ResultCount {
  #select;

  /** @param {HTMLSelectElement} select @param {(k: number) => void} onChoose */
  constructor(select, onChoose) {
    this.#select = select;
    select.addEventListener("change", () => onChoose(Number(select.value)));
  }

  /** @param {number} k any number: an address may have another one than the list */
  show(k) {
    const counts = [...new Set([...COUNTS, k])].sort((a, b) => a - b);
    this.#select.replaceChildren(...counts.map((n) => new Option(String(n), String(n), false, n === k)));
  }
}
