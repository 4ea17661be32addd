/** The figures of the metrics panel, from two expositions. Nothing here knows the page. */

import { bucketsBetween, countOf, namesOf, quantile, sumOf } from "./exposition.js";

/** @typedef {import("./exposition.js").Exposition} Exposition */

/**
 * @typedef {object} Traffic
 * @property {number | null} perSecond   requests, the page's own too; null: with one exposition no rate is known
 * @property {number} searches   that the times are of
 * @property {boolean} sinceStart   whether the times are of all searches, since none came meanwhile
 * @property {number | null} medianMs
 * @property {number | null} slowMs   99 of 100 take no longer
 * @property {number | null} encodeMs   median of the encoder's calls
 * @property {number} inFlight
 * @property {number} rejected   unanswered, since the start
 * @property {number} rejectedNow   of them meanwhile
 * @property {[string, number][]} reasons   of rejections, the most frequent first
 */

/**
 * @typedef {object} Served
 * @property {number} waiting   requests in the queue
 * @property {number} places   in the queue
 * @property {number} photos
 * @property {number | null} indexAgeS
 * @property {boolean} isBehind   a newer version is published and not loaded
 * @property {boolean} isReady
 * @property {string} provider   that runs the encoder: "CPU", "CUDA"
 * @property {string} bundle
 * @property {number} memoryBytes
 */

const SEARCHES = /\/search$|\/search[:/]/;

/** @param {Exposition} now @param {{exposition: Exposition, secondsAgo: number} | null} before @returns {Traffic} */
export function trafficOf(now, before) {
  const earlier = before?.exposition ?? null;
  const isSearch = (/** @type {Record<string, string>} */ { route = "" }) => SEARCHES.test(route);
  const meanwhile = earlier ? bucketsBetween(now, earlier, "inkseek_request_seconds", isSearch) : [];
  const sinceStart = countOf(meanwhile) === 0;
  const searches = sinceStart ? bucketsBetween(now, null, "inkseek_request_seconds", isSearch) : meanwhile;
  const encoding = bucketsBetween(now, sinceStart ? null : earlier, "inkseek_stage_seconds", ({ stage }) => stage === "encode");
  return {
    perSecond: before && increase(now, before.exposition, "inkseek_requests_total") / before.secondsAgo,
    searches: countOf(searches),
    sinceStart,
    medianMs: inMs(quantile(searches, 0.5)),
    slowMs: inMs(quantile(searches, 0.99)),
    encodeMs: inMs(quantile(encoding, 0.5)),
    inFlight: sumOf(now, "inkseek_in_flight"),
    rejected: sumOf(now, "inkseek_rejected_total"),
    rejectedNow: earlier ? increase(now, earlier, "inkseek_rejected_total") : 0,
    reasons: reasonsOf(now),
  };
}

/** @param {Exposition} now @param {number} unixTimeS @returns {Served} */
export function servedOf(now, unixTimeS) {
  const created = sumOf(now, "inkseek_index_created_timestamp_seconds");
  return {
    waiting: sumOf(now, "inkseek_queue"),
    places: sumOf(now, "inkseek_queue_limit"),
    photos: sumOf(now, "inkseek_index_photos"),
    indexAgeS: created ? Math.max(0, unixTimeS - created) : null,
    isBehind: sumOf(now, "inkseek_index_behind") > 0,
    isReady: sumOf(now, "inkseek_ready") > 0,
    provider: namesOf(now, "inkseek_provider_info", "provider").join(", ").replace(/ExecutionProvider/g, ""),
    bundle: namesOf(now, "inkseek_index_info", "bundle_id").join(", "),
    memoryBytes: sumOf(now, "process_resident_memory_bytes"),
  };
}

/** @param {Exposition} now @param {Exposition} before @param {string} name @returns {number} of a counter; one that went back counts from zero */
function increase(now, before, name) {
  const [late, early] = [sumOf(now, name), sumOf(before, name)];
  return late < early ? late : late - early;
}

/** @param {Exposition} now @returns {[string, number][]} */
function reasonsOf(now) {
  const samples = now.get("inkseek_rejected_total") ?? [];
  return samples.filter(({ value }) => value > 0).sort((a, b) => b.value - a.value).map(({ labels, value }) => [labels.reason ?? "", value]);
}

/** @param {number | null} seconds @returns {number | null} */
function inMs(seconds) {
  return seconds === null ? null : seconds * 1000;
}
