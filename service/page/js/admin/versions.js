/** The versions of the index: which is in service, what each holds; a rebuild is queued from here. */

import { Jobs } from "../api/jobs.js";
import { finder } from "../element.js";
import { text } from "../texts.js";
import { showRows } from "./elements.js";
import { Panel } from "./panel.js";
import { sizeOf, timeOf } from "./units.js";

/** @typedef {import("../api/jobs.js").Version} Version */

const EVERY_MS = 5000;

export class VersionsPanel {
  #find;
  #jobs = new Jobs();

  /**
   * @param {HTMLElement} root
   * @param {import("../api/service.js").Service} service
   * @param {{onQueued: () => void}} listeners onQueued: there is one more job
   */
  constructor(root, service, { onQueued }) {
    this.#find = finder(root, "versions-");
    this.panel = new Panel(root, () => this.#look(), { scope: "write", everyMs: EVERY_MS });
    this.#find("rebuild").addEventListener("click", async () => {
      await this.panel.change(() => service.rebuild(), text("admin.rebuild.queued"));
      onQueued();
    });
  }

  /** @param {boolean} allowed whether the index may be changed */
  allow(allowed) {
    this.#find("rebuild").hidden = !allowed;
  }

  async #look() {
    const { versions, changes_pending: count } = await this.#jobs.versions();
    this.#find("pending").textContent = text("jobs.pending", { count });
    showRows(this.#find("list"), versions.map(rowOf));
  }
}

/** @param {Version} version @returns {import("./elements.js").Row} */
function rowOf(version) {
  const { photos, segments, bytes, online_changes: changes = 0 } = version;
  const facts = [text("jobs.count", { count: photos }), text("admin.segments", { count: segments }), sizeOf(bytes)];
  if (changes) facts.push(text("admin.sealed", { count: changes }));
  return {
    key: version.version,
    name: version.version,
    state: version.in_service ? text("jobs.in_service") : version.published ? text("admin.published") : "",
    mood: version.in_service ? "good" : version.published ? "bad" : "",
    facts: [facts.join(" · "), timeOf(version.created_at), text("admin.bundle", { bundle: version.bundle_id })],
  };
}
