/** Time limits that a caller's signal ends, without AbortSignal.any and AbortSignal.timeout, which not every runtime has. */

/**
 * @param {AbortSignal | null | undefined} signal
 * @param {number} ms
 * @returns {{signal: AbortSignal, isOver: () => boolean, done: () => void}} its signal aborts with `signal`, or after `ms`;
 *   isOver: the time was up; done: it is needed no longer
 */
export function timeLimit(signal, ms) {
  const controller = new AbortController();
  let over = false;
  const abort = () => controller.abort();
  const timer = setTimeout(() => {
    over = true;
    abort();
  }, ms);
  if (signal?.aborted) abort();
  signal?.addEventListener("abort", abort);
  const done = () => {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
  };
  return { signal: controller.signal, isOver: () => over, done };
}

/** @param {AbortSignal | null | undefined} signal that has aborted @param {unknown} [otherwise] where the runtime keeps no reasons */
export function reasonOf(signal, otherwise) {
  return signal?.reason ?? otherwise ?? Object.assign(new Error("The operation was aborted"), { name: "AbortError" });
}
