/** Jobs of the gallery and versions of its index, for those who may change photos; looked up anew while it is open. */

import { Jobs } from "../api/jobs.js";
import { finder } from "../element.js";
import { Modal } from "../modal.js";
import { text } from "../texts.js";

/** @typedef {import("../api/jobs.js").Job} Job @typedef {import("../api/jobs.js").Version} Version */

const LOOK_MS = 2000;
const SHOWN = 8;
/** @type {Record<Job["state"], string>} */
const STATES = {
  queued: "jobs.queued",
  running: "jobs.running",
  done: "jobs.done",
  failed: "jobs.failed",
  cancelled: "jobs.cancelled",
};

export class JobsDialog {
  #modal;
  #find;
  #button;
  #jobs = new Jobs();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {HTMLElement} dialog @param {HTMLElement} button @param {import("../navigation.js").Navigation} navigation */
  constructor(dialog, button, navigation) {
    this.#find = finder(dialog, "jobs-");
    this.#button = button;
    this.#modal = new Modal(dialog, navigation, () => clearTimeout(this.#timer));
    button.addEventListener("click", () => {
      this.#modal.open();
      void this.#look();
    });
    this.#find("close").addEventListener("click", () => this.#modal.close());
    this.#find("admin", HTMLAnchorElement).search = location.search; // ?gallery= holds there, too
  }

  /** @param {boolean} allowed whether the user may see jobs */
  allow(allowed) {
    this.#button.hidden = !allowed;
  }

  async #look() {
    clearTimeout(this.#timer);
    try {
      const [jobs, { versions, changes_pending }] = await Promise.all([this.#jobs.list(), this.#jobs.versions()]);
      this.#find("list").replaceChildren(...jobs.slice(0, SHOWN).map((job) => this.#entry(job)));
      this.#find("versions").replaceChildren(...versions.slice(0, SHOWN).map(versionEntry));
      this.#find("status").textContent = jobs.length ? text("jobs.pending", { count: changes_pending }) : text("jobs.none", { count: changes_pending });
    } catch (error) {
      this.#find("status").textContent = error instanceof Error ? error.message : String(error);
    }
    if (this.#modal.isOpen) this.#timer = setTimeout(() => void this.#look(), LOOK_MS);
  }

  /** @param {Job} job @returns {HTMLElement} */
  #entry(job) {
    const entry = document.createElement("li");
    const kind = job.kind === "photos" ? text("jobs.photos") : text("jobs.rebuild");
    const words = [kind, text(STATES[job.state])];
    if (typeof job.total === "number") words.push(text("jobs.progress", { done: job.done, total: job.total }));
    if (job.failed) words.push(text("jobs.without", { count: job.failed }));
    entry.textContent = words.join(" · ");
    if (job.state === "queued" || job.state === "running") {
      const cancel = document.createElement("button");
      cancel.type = "button";
      cancel.className = "link";
      cancel.textContent = text("jobs.cancel");
      cancel.addEventListener("click", async () => {
        cancel.disabled = true;
        await this.#jobs.cancel(job.job_id).catch(() => {}); // it has ended meanwhile, which the next look shows
        void this.#look();
      });
      entry.append(" ", cancel);
    }
    return entry;
  }
}

/** @param {Version} version @returns {HTMLElement} */
function versionEntry(version) {
  const entry = document.createElement("li");
  const words = [version.version, text("jobs.count", { count: version.photos })];
  if (version.in_service) words.push(text("jobs.in_service"));
  entry.textContent = words.join(" · ");
  return entry;
}
