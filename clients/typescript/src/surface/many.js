/**
 * Many sketches: in which batches they go, and the answer to each.
 *
 * @import { SendOptions } from "../sender.js"
 * @import { Sketch } from "../inputs.js"
 * @import { BatchAnswer, BatchParameters, SearchAnswer } from "../schemas.js"
 * @typedef {BatchParameters & SendOptions
 *   & {progress?: (done: number, total: number | null) => void}} ManyOptions   progress: called with sketches done, and of how many
 */

import { ServiceProblem } from "../errors.js";
import { isNativeFile, sketchField } from "../inputs.js";
import { errorOf } from "../problems.js";

/** What a form adds to each of its files: boundary and headers. */
const FORM_BYTES = 512;
/** At most as many bytes has a UTF-16 code unit in UTF-8. */
const BYTES_OF_CHARACTER = 3;

/** What was answered to a sketch: an answer, or the problem. @template {Sketch} T */
export class SketchAnswer {
  /** @param {T} sketch as it was handed in @param {SearchAnswer | ServiceProblem} outcome */
  constructor(sketch, outcome) {
    this.sketch = sketch;
    this.outcome = outcome;
  }

  /** @returns {SearchAnswer} throws the ServiceProblem that came instead */
  get answer() {
    if (this.outcome instanceof ServiceProblem) throw this.outcome;
    return this.outcome;
  }
}

/** @param {BatchAnswer} answer @returns {(SearchAnswer | ServiceProblem)[]} for each item */
export function outcomesOf(answer) {
  return answer.items.map((item) => ("error" in item ? errorOf(item.error) : item));
}

/**
 * @template {Sketch} T
 * @param {Iterable<T> | AsyncIterable<T>} sketches
 * @param {number} maxItems
 * @param {number} maxBytes
 * @returns {AsyncGenerator<T[], void, undefined>} them in their order, cut where a batch would get more; one that is too large by
 *   itself is a batch of its own, which the service rejects with its reason
 */
export async function* batchesOf(sketches, maxItems, maxBytes) {
  /** @type {T[]} */
  let batch = [];
  let held = 0;
  for await (const sketch of sketches) {
    const size = sizeInForm(sketch);
    if (batch.length > 0 && (batch.length === maxItems || held + size > maxBytes)) {
      yield batch;
      batch = [];
      held = 0;
    }
    batch.push(sketch);
    held += size;
  }
  if (batch.length > 0) yield batch;
}

/** @param {Sketch} sketch @returns {number} at most so many bytes of a form; Infinity for a file that only React Native can read */
function sizeInForm(sketch) {
  const field = sketchField(sketch);
  if (typeof field === "string") return FORM_BYTES + BYTES_OF_CHARACTER * field.length;
  if (isNativeFile(field)) return Infinity;
  return FORM_BYTES + (field instanceof Blob ? field.size : field.byteLength);
}
