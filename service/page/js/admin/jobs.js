/** The jobs of the gallery: how far each is; one that waits or runs can be cancelled. */

import { Jobs } from "../api/jobs.js";
import { finder } from "../element.js";
import { text } from "../texts.js";
import { button, make, showRows } from "./elements.js";
import { Panel } from "./panel.js";
import { timeOf } from "./units.js";

/** @typedef {import("../api/jobs.js").Job} Job */

const EVERY_MS = 2000;
const SHOWN = 12;
/** @type {Record<Job["state"], [string, "" | "good" | "bad"]>} */
const STATES = {
  queued: ["jobs.queued", ""],
  running: ["jobs.running", "good"],
  done: ["jobs.done", ""],
  failed: ["jobs.failed", "bad"],
  cancelled: ["jobs.cancelled", ""],
};

export class JobsPanel {
  #find;
  #jobs = new Jobs();
  #mayChange = false;

  /** @param {HTMLElement} root */
  constructor(root) {
    this.#find = finder(root, "jobs-");
    this.panel = new Panel(root, () => this.#look(), { scope: "write", everyMs: EVERY_MS });
  }

  /** @param {boolean} allowed whether jobs may be cancelled */
  allow(allowed) {
    this.#mayChange = allowed;
  }

  async #look() {
    const jobs = await this.#jobs.list();
    this.#find("none").hidden = jobs.length > 0;
    showRows(this.#find("list"), jobs.slice(0, SHOWN).map((job) => this.#row(job)));
  }

  /** @param {Job} job @returns {import("./elements.js").Row} */
  #row(job) {
    const [state, mood] = STATES[job.state];
    const name = job.kind === "photos" ? text("jobs.photos") : text("jobs.rebuild");
    const waits = job.state === "queued" || job.state === "running";
    const done = job.total ? [text("jobs.progress", { done: job.done, total: job.total })] : [];
    if (job.failed) done.push(text("jobs.without", { count: job.failed }));
    if (waits && job.stage) done.push(job.stage);
    const facts = [done.join(" · "), job.detail, text("admin.by", { name: job.created_by, created: timeOf(job.created_at) })];
    const cancel = () => button(text("jobs.cancel"), text("admin.cancel_label", { job: job.job_id }), () => this.#cancel(job));
    return {
      key: job.job_id,
      name,
      state: text(state),
      mood,
      facts: facts.filter(Boolean),
      more: waits ? [progressOf(job, name)] : [],
      actions: waits && this.#mayChange ? [cancel()] : [],
    };
  }

  /** @param {Job} job */
  #cancel(job) {
    void this.panel.change(() => this.#jobs.cancel(job.job_id), text("admin.cancelled"));
  }
}

/** @param {Job} job @param {string} name @returns {HTMLElement} without a value where the total is unknown */
function progressOf(job, name) {
  const bar = make("progress");
  bar.setAttribute("aria-label", name);
  if (job.total) {
    bar.max = job.total;
    bar.value = job.done;
  }
  return bar;
}
