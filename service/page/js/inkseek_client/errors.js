/**
 * What a call may throw, in one tree.
 *
 * InkseekClientError
 * ├── Unreachable              the service was not reached, or the connection broke
 * │   └── TimedOut
 * ├── UnexpectedAnswer         an answer that this client cannot read: no Inkseek, another version of it, or a proxy's page
 * ├── JobFailed                a job that was waited for has failed or was cancelled
 * └── ServiceProblem           the service answered with a problem document (RFC 9457)
 *     ├── RequestInvalid       400, 415, 422 …: the same request is rejected again
 *     │   ├── SketchInvalid    the sketch is empty, solid, or no picture
 *     │   └── TooLarge         413: see `info().limits`
 *     ├── KeyRejected          401: no key was sent, or it is not valid
 *     ├── Denied               403: the key lacks a scope, or the service is read-only
 *     ├── NotFound             404
 *     ├── Conflict             409: as things are, it cannot be done
 *     ├── CursorStale          410: the gallery has changed since the first page
 *     ├── TryLater             429, 503: after `retryAfterMs` it may work
 *     └── ServiceFailed        500, 507 …
 *
 * An abort is none of them: the reason of the caller's own signal is thrown.
 *
 * @import { FieldFault, Job, Problem } from "./schemas.js"
 */

/** Root of the tree. */
export class InkseekClientError extends Error {
  /** @param {string} message @param {{cause?: unknown}} [options] */
  constructor(message, options) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** The service could not be reached, or the connection ended before the answer did; `cause` is what fetch said. */
export class Unreachable extends InkseekClientError {}

/** The whole answer did not come within `timeoutMs`. */
export class TimedOut extends Unreachable {}

/** The answer is no problem document and does not fit the route. */
export class UnexpectedAnswer extends InkseekClientError {
  /** @param {string} message @param {Response} response @param {unknown} [cause] */
  constructor(message, response, cause) {
    super(message, { cause });
    /** HTTP status; 0 for a redirect in a browser. */
    this.status = response.status;
    this.headers = response.headers;
  }
}

/** `job` ended in the state `failed` or `cancelled`. */
export class JobFailed extends InkseekClientError {
  /** @param {Job} job as it ended */
  constructor(job) {
    super(`job ${job.job_id} has ${job.state}: ${job.detail || job.stage}`);
    this.job = job;
  }
}

/** The service rejected the request or failed; the message is the title and the detail of its problem document. */
export class ServiceProblem extends InkseekClientError {
  /** @param {Problem} problem @param {Headers | null} headers null: of an item of a batch @param {number | null} retryAfterMs */
  constructor(problem, headers = null, retryAfterMs = null) {
    super(`${problem.title}: ${problem.detail}`);
    this.problem = problem;
    /** Stable word for programs, such as `unknown_category`; `http_error` where the answer was no problem document. */
    this.code = problem.code;
    /** HTTP status, 400 to 599. */
    this.status = problem.status;
    /** Which fields of the request are wrong, and why; often empty. @type {readonly FieldFault[]} */
    this.faults = problem.errors ?? [];
    this.headers = headers;
    /** Of the header Retry-After; null without it. */
    this.retryAfterMs = retryAfterMs;
  }
}

/** The request is not accepted as it is. */
export class RequestInvalid extends ServiceProblem {}

/** The sketch is empty, solid, unreadable or of no accepted format. */
export class SketchInvalid extends RequestInvalid {}

/** The body, an image or the number of items is over a limit of `info().limits`. */
export class TooLarge extends RequestInvalid {}

/** No API key was sent where one is needed, or it is not valid. */
export class KeyRejected extends ServiceProblem {}

/** The key lacks the scope that the problem names, or the service is read-only. */
export class Denied extends ServiceProblem {}

/** There is no such photo, category, adapter, job, gallery or route. */
export class NotFound extends ServiceProblem {}

/** The state of the service does not allow it, for example because a limit of adapters is reached. */
export class Conflict extends ServiceProblem {}

/** The gallery or an adapter has changed since the first page: begin again. */
export class CursorStale extends ServiceProblem {}

/** The service is busy, limits the key's rate, or is not ready; retries were in vain. */
export class TryLater extends ServiceProblem {}

/** The service failed; its log has the reason under `problem.request_id`. */
export class ServiceFailed extends ServiceProblem {}
