/** Fits, activates and deletes the adapters of the chosen target, and shows the results. */

import { Problem } from "../api/problem.js";
import { Comparison } from "./comparison.js";
import { FitReport } from "./fit_report.js";
import { whereOf } from "./messages.js";
import { Versions } from "./versions.js";
import { text } from "../texts.js";

/** These are answered where the target has no adapter yet. */
const NEW_TARGET_CODES = new Set(["category_not_found", "profile_not_found"]);

/** @typedef {import("../api/adapters.js").Adapter} Adapter */
/** @typedef {import("../api/adapters.js").Target} Target */
/**
 * @typedef {{onBusy: (busy: boolean) => void, onFitted: (adapter: Adapter) => void, onFailed: (error: unknown) => void,
 *   onStart: () => void, onChanged: (adapted: Target | null) => Promise<void>}} Listeners   onStart: earlier results and
 *   notices no longer hold; onChanged: other adapters exist or are active, `adapted` for the target that has just got one
 */

export class Adaptation {
  #adapters;
  #readTarget;
  #page;
  #listeners;
  #versions;
  #report;
  #status;
  #busy = false;

  /**
   * @param {import("../element.js").Find} find among the panel's elements
   * @param {{client: import("../api/client.js").Client, adapters: import("../api/adapters.js").Adapters}} service
   * @param {() => Target} readTarget the chosen one
   * @param {{readDrawing: () => import("../drawing/drawing.js").Drawing, readCategories: () => readonly string[],
   *   rightPhoto: (drawing: import("../drawing/drawing.js").Drawing) => import("./support/pair.js").PairPhoto | null}} page
   * @param {Listeners} listeners
   */
  constructor(find, { client, adapters }, readTarget, page, listeners) {
    this.#adapters = adapters;
    this.#readTarget = readTarget;
    this.#page = page;
    this.#listeners = listeners;
    this.#status = find("done");
    this.#versions = new Versions(find("versions"), {
      onActivate: ({ adapter_id: id, version }) => this.#act(() => adapters.activate(readTarget(), id), text("done.activated", { version })),
      onDelete: ({ adapter_id: id, version }, options) => this.#act(() => adapters.remove(readTarget(), id, options), text("done.deleted", { version })),
    });
    const comparison = new Comparison(find("comparison"), client, page.readDrawing, page.rightPhoto);
    this.#report = new FitReport(find, comparison, {
      onForce: (adapter) => this.#fit(() => adapters.activate(readTarget(), adapter.adapter_id)),
      onUndo: (adapter) => this.#undo(adapter),
    });
  }

  /** Fits an adapter of the target. @param {import("../api/adapters.js").Examples} examples of the support set */
  fit(examples) {
    return this.#fit(() => this.#adapters.fit(this.#readTarget(), examples));
  }

  /** Shows the target's versions. */
  async loadVersions() {
    const target = this.#readTarget();
    /** @type {{adapters: Adapter[], active: string | null}} */
    let known = { adapters: [], active: null };
    try {
      if (target.name) known = await this.#adapters.list(target);
    } catch (error) {
      if (!(error instanceof Problem && NEW_TARGET_CODES.has(error.code))) this.#listeners.onFailed(error);
    }
    const { kind, name } = this.#readTarget();
    if (target.kind === kind && target.name === name) this.#versions.render(known.adapters, known.active);
  }

  /** Hides earlier results. */
  clear() {
    this.#report.hide();
    this.#status.textContent = "";
  }

  /** The drawing on the board changed. */
  drawingChanged() {
    this.#report.refreshSoon();
  }

  /** @param {() => Promise<Adapter>} send fits an adapter, or activates one that was fitted */
  async #fit(send) {
    if (this.#busy) return;
    this.#setBusy(true);
    this.#listeners.onStart();
    try {
      const target = this.#readTarget();
      const adapter = await send();
      this.#listeners.onFitted(adapter);
      await this.#listeners.onChanged(adapter.state === "active" || adapter.photos_added.length ? target : null);
      this.#report.show(adapter, target, this.#page.readCategories());
    } catch (error) {
      this.#listeners.onFailed(error);
    } finally {
      this.#setBusy(false);
    }
  }

  /** @param {Adapter} adapter the active one */
  #undo(adapter) {
    const target = this.#readTarget();
    const photos = adapter.photos_added.length ? ` ${text("done.photos_stay")}` : "";
    return this.#act(() => this.#adapters.rollback(target), text("done.undone", { where: whereOf(target) }) + photos);
  }

  /** @param {() => Promise<unknown>} send changes which version is active, or which exist @param {string} done said afterwards */
  async #act(send, done) {
    this.#listeners.onStart();
    try {
      await send();
      await this.#listeners.onChanged(null);
      this.#status.textContent = done;
      this.#status.focus({ preventScroll: true }); // the button that was pressed may be gone
    } catch (error) {
      this.#listeners.onFailed(error);
    }
  }

  /** @param {boolean} busy */
  #setBusy(busy) {
    this.#busy = busy;
    this.#listeners.onBusy(busy);
  }
}
