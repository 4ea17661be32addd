/** A fetch that answers with each of its steps in turn, and keeps what was requested. */

export const CATEGORIES = { categories: [{ category: "shoe", count: 3, faces_one_way: false }], total: 3 };
export const JOB = { job_id: "job-1", kind: "rebuild", state: "queued", stage: "", detail: "", done: 0, failed: 0, created_by: "", created_at: "", updated_at: "" };
export const NO_WAIT = { backoffMs: 0 };

/** Each step is a Response, an Error that fetch rejects with, or a function of the request that returns either. */
export function scripted(...steps) {
  const requests = [];
  const send = async (url, init) => {
    requests.push({ url, ...init });
    const step = steps.length > 1 ? steps.shift() : steps[0];
    const outcome = await (typeof step === "function" ? step(url, init) : step);
    if (outcome instanceof Error) throw outcome;
    return outcome.clone();
  };
  return { requests, fetch: send };
}

export function answered(document, status = 200) {
  return new Response(JSON.stringify(document), { status, headers: { "Content-Type": "application/json" } });
}

export function problem(status, code, retryAfter) {
  const document = { type: "about:blank", title: "T", status, detail: "D", code };
  return new Response(JSON.stringify(document), { status, headers: retryAfter === undefined ? {} : { "Retry-After": retryAfter } });
}

/** What fetch of Node.js rejects with, and what browsers do. */
export function broken(code) {
  return new TypeError("fetch failed", code === undefined ? undefined : { cause: Object.assign(new Error(code), { code }) });
}
