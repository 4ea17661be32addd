/** Live figures of the service: requests, times, queue, rejections, index, encoder. */

import { finder } from "../element.js";
import { LANGUAGE, inTenths, inWhole, text } from "../texts.js";
import { make } from "./elements.js";
import { parseExposition } from "./exposition.js";
import { servedOf, trafficOf } from "./figures.js";
import { Panel } from "./panel.js";
import { ageOf, sizeOf } from "./units.js";

const EVERY_MS = 5000;
/** Rates and times are of about the last minute. */
const WINDOW_S = 60;
const NONE = "–";

const names = new Intl.ListFormat(LANGUAGE, { style: "short", type: "unit" });

/** @typedef {import("./figures.js").Traffic} Traffic @typedef {import("./figures.js").Served} Served @typedef {import("./exposition.js").Exposition} Exposition */
/** @typedef {{name: string, value: string, note?: string, isBad?: boolean}} Tile */

export class MetricsPanel {
  #service;
  #figures;
  /** @type {{exposition: Exposition, atMs: number}[]} of the last minute, the oldest first */
  #kept = [];

  /** @param {HTMLElement} root @param {import("../api/service.js").Service} service */
  constructor(root, service) {
    this.#service = service;
    this.#figures = finder(root, "metrics-")("figures");
    this.panel = new Panel(root, () => this.#look(), { scope: "admin", everyMs: EVERY_MS });
  }

  async #look() {
    const exposition = parseExposition(await this.#service.metrics());
    const atMs = performance.now();
    const [oldest] = this.#kept;
    const before = oldest ? { exposition: oldest.exposition, secondsAgo: (atMs - oldest.atMs) / 1000 } : null;
    this.#kept = [...this.#kept, { exposition, atMs }].filter((one) => atMs - one.atMs < WINDOW_S * 1000);
    const tiles = [...trafficTiles(trafficOf(exposition, before)), ...servedTiles(servedOf(exposition, Date.now() / 1000))];
    this.#figures.replaceChildren(...tiles.map(tileElement));
  }
}

/** @param {Traffic} traffic @returns {Tile[]} what is asked of the service, and how fast it answers */
function trafficTiles({ perSecond, searches, sinceStart, medianMs, slowMs, encodeMs, inFlight, rejected, rejectedNow, reasons }) {
  const of = text(sinceStart ? "figures.since_start" : "figures.lately", { count: searches });
  const why = names.format(reasons.slice(0, 3).map(([reason, count]) => `${reason} ${inWhole(count)}`));
  return [
    { name: text("figures.rate"), value: perSecond === null ? NONE : inTenths(perSecond), note: text("figures.in_flight", { count: inFlight }) },
    { name: text("figures.median"), value: milliseconds(medianMs), note: of },
    { name: text("figures.slow"), value: milliseconds(slowMs), note: of },
    { name: text("figures.encoder"), value: milliseconds(encodeMs), note: of },
    { name: text("figures.rejected"), value: inWhole(rejected), note: why || text("figures.rejected_none"), isBad: rejectedNow > 0 },
  ];
}

/** @param {Served} served @returns {Tile[]} what it serves, and with what */
function servedTiles({ waiting, places, photos, indexAgeS, isBehind, isReady, provider, bundle, memoryBytes }) {
  return [
    { name: text("figures.queue"), value: text("share", { part: waiting, whole: places }), isBad: places > 0 && waiting >= places },
    { name: text("figures.index_age"), value: indexAgeS === null ? NONE : ageOf(indexAgeS), note: isBehind ? text("figures.behind") : text("gallery_size", { count: photos }), isBad: isBehind },
    { name: text("figures.provider"), value: provider || NONE, note: bundle },
    { name: text("figures.memory"), value: sizeOf(memoryBytes) },
    { name: text("figures.ready"), value: text(isReady ? "figures.yes" : "figures.no"), isBad: !isReady },
  ];
}

/** @param {Tile} tile @returns {HTMLElement} */
function tileElement({ name, value, note = "", isBad = false }) {
  const tile = make("div", isBad ? "figure is-bad" : "figure");
  tile.append(make("dt", "", name), make("dd", "figure-value", value));
  if (note) tile.append(make("dd", "figure-note", note));
  return tile;
}

/** @param {number | null} ms @returns {string} */
function milliseconds(ms) {
  return ms === null ? NONE : text("figures.ms", { ms: ms < 100 ? inTenths(ms) : inWhole(Math.round(ms)) });
}
