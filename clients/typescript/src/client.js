/** The client: all methods of `surface` on one object. */

import { Operation } from "./surface/operation.js";

/**
 * Calls are sent again within `retries`: idempotent ones, searches among them, after broken connections and answers 429, 502, 503
 * and 504; others only after answers 429 and 503, which say that nothing was done, or where no connection was made, which only
 * Node.js tells. Retry-After is honoured. Every method may throw an InkseekClientError.
 */
export class Client extends Operation {}
