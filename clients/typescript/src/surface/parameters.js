/** Options of a method: parameters of the service, by its names, beside the client's own. */

/** @import { SendOptions } from "../sender.js" */

/**
 * @template {SendOptions} Options
 * @param {Options} options
 * @returns {Omit<Options, keyof SendOptions>} what is sent; a name that the service does not know is rejected there
 */
export function parametersOf(options) {
  const { signal, timeoutMs, ...parameters } = options;
  return parameters;
}
