/** Puts the page of who runs the service together: for keys with the scope `admin`, or where the service has no keys. */

import { Problem } from "../api/problem.js";
import { GALLERY } from "../api/root.js";
import { Service } from "../api/service.js";
import { finder, query } from "../element.js";
import { KeyDialog } from "../key_dialog.js";
import { bindLanguages } from "../language.js";
import { Navigation } from "../navigation.js";
import { text } from "../texts.js";
import { AdaptersPanel } from "./adapters.js";
import { JobsPanel } from "./jobs.js";
import { KeysPanel } from "./keys.js";
import { MetricsPanel } from "./metrics.js";
import { NeighboursPanel } from "./neighbours.js";
import { wordsOf } from "./panel.js";
import { VersionsPanel } from "./versions.js";

const find = finder(document);

class AdminPage {
  #service = new Service();

  constructor() {
    const navigation = new Navigation({ address: () => location.href, onFollow: () => {} });
    this.keyDialog = new KeyDialog(find("key-dialog"), navigation, find("key-button"));
    this.metrics = new MetricsPanel(find("metrics"), this.#service);
    this.jobs = new JobsPanel(find("jobs"));
    this.versions = new VersionsPanel(find("versions"), this.#service, { onQueued: () => this.jobs.panel.refresh() });
    this.adapters = new AdaptersPanel(find("adapters"));
    this.neighbours = new NeighboursPanel(find("neighbours"), this.#service);
    this.keys = new KeysPanel(find("keys"));
    find("denied-retry").addEventListener("click", () => this.start());
    bindLanguages(query(document, ".languages", HTMLElement));
    if (GALLERY !== null) find("drawing-link", HTMLAnchorElement).search = new URLSearchParams({ gallery: GALLERY }).toString();
  }

  /** The metrics need the scope `admin`: who may read them may see the page. */
  async start() {
    try {
      await this.#service.metrics();
    } catch (error) {
      this.#deny(error);
      return;
    }
    find("denied").hidden = true;
    find("allowed").hidden = false;
    await this.#showAccess();
    for (const { panel } of [this.metrics, this.versions, this.jobs, this.adapters, this.neighbours, this.keys]) void panel.refresh();
  }

  /** Says what the key may do, and hides what it may not. */
  async #showAccess() {
    const info = await this.#service.info().catch(() => null); // it needs the scope `search`; the panels say what they miss
    const access = info?.access ?? ["admin"];
    const scopes = access.join(", ");
    find("keys-access").textContent = info?.read_only ? text("admin.read_only") : text("admin.access", { scopes });
    this.versions.allow(access.includes("write"));
    this.jobs.allow(access.includes("write"));
    this.adapters.allow(access.includes("adapt"));
    this.keys.allow(access);
  }

  /** @param {unknown} error */
  #deny(error) {
    const isDenied = error instanceof Problem && error.isDenied;
    find("denied-title").textContent = text(isDenied ? "admin.denied" : "admin.unreachable");
    find("denied-detail").textContent = wordsOf(error);
    find("denied-command").hidden = !isDenied;
    find("denied-retry").hidden = isDenied;
    find("denied").hidden = false;
  }
}

document.documentElement.classList.add("is-started");
await new AdminPage().start();
