"""Prometheus metrics. One registry per application; with several worker processes, sums over all of them.

Worker processes share their figures through the files of prometheus_client's multiprocess mode, which `inkseek serve`
turns on by setting PROMETHEUS_MULTIPROC_DIR before it starts them.
"""

from __future__ import annotations

import os
import time
from bisect import bisect_left
from collections import Counter as Tally
from collections import deque
from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
    multiprocess,
)

from service.errors import NotReady
from service.runtime.gallery_metrics import GalleryMetrics
from service.runtime.process_metrics import WorkerProcesses

MULTIPROCESS_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"

_MOST_NOTED = 1_024
_SCRAPE_TRIES, _SCRAPE_AGAIN_S = 5, 0.05

# Seconds. A stage takes 0.1 ms (decode) to some 100 ms (a large encoder on a busy CPU).
_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
_SCORE_BUCKETS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)  # one below 0 would leave the sum out
_RECALL_BUCKETS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
_REJECTIONS = ("queue_full", "deadline", "client_gone", "rate_limited")
_SCOPES, _OUTCOMES = ("category", "profile"), ("active", "idle", "dry_run", "rejected")
_RESULTS = ("match", "no_good_match", "uncalibrated", "empty")
_CONFIDENCE_BUCKETS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)


class Metrics:
    """Counters, gauges and histograms of the service; their names are prefixed `inkseek_`."""

    def __init__(self, gallery_labels: int = 50) -> None:
        """All at zero, in a registry of their own. `gallery_labels`: galleries that have a label of their own."""
        disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for each counter, of no use here
        self.registry = r = CollectorRegistry()
        ProcessCollector(registry=r)  # memory, CPU time, open files
        self._add_requests(r)
        self._add_answers(r)
        self._add_load(r)
        self._add_index(r)
        self._add_adapters(r)
        self.galleries = GalleryMetrics(r, gallery_labels)
        self._noted: deque[tuple[Counter | _Histogram, float]] = deque()  # of searches, not counted yet
        # Looked up once, since `labels` takes a lock each time; so are `_results`.
        self._answered: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self._stages: Mapping[str, _Histogram] = {
            stage: self.stage_seconds.labels(stage) for stage in ("wait", "decode", "preprocess", "encode", "search")
        }

    def _add_requests(self, r: CollectorRegistry) -> None:
        """Requests and their stages."""
        self.requests = Counter(
            "inkseek_requests",
            "Requests answered, by route template and status.",
            ["route", "method", "status"],
            registry=r,
        )
        self.request_seconds = _seconds("inkseek_request_seconds", "Whole time of a request, by route.", "route", r)
        stages = "Time of one stage of a search: wait, decode, preprocess, encode, search."
        self.stage_seconds = _seconds("inkseek_stage_seconds", stages, "stage", r)

    def _add_answers(self, r: CollectorRegistry) -> None:
        """Searches, by what was found."""
        self.answers = Counter(
            "inkseek_answers",
            "Sketches searched for, by result: match, no_good_match, uncalibrated (no confidence is known) or empty.",
            ["result"],
            registry=r,
        )
        self._results = {result: self.answers.labels(result) for result in _RESULTS}
        self.confidence = _Histogram(
            "inkseek_confidence",
            "Confidence of the best result, where it is known.",
            buckets=_CONFIDENCE_BUCKETS,
            registry=r,
        )
        self.best_score = _Histogram(
            "inkseek_best_score",
            "Score of the best result; within one category it is rescaled.",
            buckets=_SCORE_BUCKETS,
            registry=r,
        )
        self.shadow_recall = Histogram(
            "inkseek_shadow_recall",
            "Share of the 10 best photos of an exact search that the search found, of those that were repeated.",
            buckets=_RECALL_BUCKETS,
            registry=r,
        )

    def _add_load(self, r: CollectorRegistry) -> None:
        """What is rejected, under way and waiting."""
        self.rejected = _from_zero(
            Counter("inkseek_rejected", "Requests rejected unanswered, by reason.", ["reason"], registry=r),
            *zip(_REJECTIONS, strict=True),
        )
        self.in_flight = _gauge("inkseek_in_flight", "Requests being handled.", r)
        self.queue = _gauge("inkseek_queue", "Jobs waiting for a worker thread.", r)
        self.queue_limit = _gauge("inkseek_queue_limit", "Requests that may wait for a worker thread.", r)
        self.threads = _gauge("inkseek_threads", "Worker threads.", r)

    def _add_index(self, r: CollectorRegistry) -> None:
        """Health, and the bundle and index in service."""
        # livemin: one process that is not ready is one too many. livemax, below: every process sees the same photos and
        # adapters, which must not be summed.
        self.ready = _gauge("inkseek_ready", "1 while the canary sketch is answered right.", r, mode="livemin")
        self.canary_failures = Counter("inkseek_canary_failures", "Canary sketches answered wrong or late.", registry=r)
        self.photos = _gauge("inkseek_index_photos", "Photos in the index that is served.", r, mode="livemax")
        self.index_created = _gauge(
            "inkseek_index_created_timestamp_seconds", "When the served index was built.", r, mode="livemin"
        )
        self.index_behind = _gauge(
            "inkseek_index_behind",
            "1 while another version of the index is published and not loaded: /readyz says why.",
            r,
            mode="livemax",
        )
        # Also livemax: a label is right once, not once for each process.
        self.build = _gauge("inkseek_build_info", "1 for the release that runs.", r, ["version"], mode="livemax")
        self.served = _gauge(
            "inkseek_index_info",
            "1 for the bundle and index version being served.",
            r,
            ["bundle_id", "index_version"],
            mode="livemax",
        )
        self.provider = _gauge(
            "inkseek_provider_info", "1 for the execution provider in use.", r, ["provider"], mode="livemax"
        )
        self.search_device = _gauge(
            "inkseek_search_device_info", "1 for where vectors are searched.", r, ["device"], mode="livemax"
        )
        self.index_swaps = Counter("inkseek_index_swaps", "New index versions taken into service.", registry=r)
        self.index_load_failures = Counter(
            "inkseek_index_load_failures", "Published index versions that could not be loaded.", registry=r
        )

    def _add_adapters(self, r: CollectorRegistry) -> None:
        """Adapters and uploaded photos."""
        self.fits = _from_zero(
            Counter(
                "inkseek_fits",
                "Requests to fit an adapter, by outcome: active, idle (the gate was not passed), dry_run or rejected.",
                ["scope", "outcome"],
                registry=r,
            ),
            *product(_SCOPES, _OUTCOMES),
        )
        self.adapters_active = _gauge(
            "inkseek_adapters_active", "Fitted adapters in service.", r, ["scope"], mode="livemax"
        )
        self.adapters_outdated = _gauge(
            "inkseek_adapters_outdated",
            "Categories and profiles with adapters of another bundle.",
            r,
            mode="livemax",
        )
        self.online_photos = _gauge("inkseek_online_photos", "Uploaded photos kept.", r, mode="livemax")

    def observe_request(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count one answer. `route`: a template, or another of few names."""
        key = route, method, status
        if (counted := self._answered.get(key)) is None:
            counted = self.requests.labels(route, method, str(status)), self.request_seconds.labels(route)
            self._answered[key] = counted
        counted[0].inc()
        counted[1].observe(seconds)

    def observe_stages(self, stages_ms: Mapping[str, float]) -> None:
        """Record each stage's time, milliseconds; `total` is no stage. Shown from the next `flush` on."""
        for stage, milliseconds in stages_ms.items():
            if (histogram := self._stages.get(stage)) is not None:
                self._noted.append((histogram, milliseconds / 1000))
        if len(self._noted) >= _MOST_NOTED:
            self.flush()

    def observe_answer(self, best: tuple[float, float | None] | None, no_good_match: bool | None) -> None:
        """Record what a sketch found. `best`: score and confidence of its best result; None: it found none.

        Shown from the next `flush` on.
        """
        if best is None:
            self._noted.append((self._results["empty"], 1.0))
            return
        if no_good_match is None:
            result = self._results["uncalibrated"]
        else:
            result = self._results["no_good_match" if no_good_match else "match"]
        score, confidence = best
        self._noted += ((result, 1.0), (self.best_score, score))
        if confidence is not None:
            self._noted.append((self.confidence, confidence))

    def flush(self) -> None:
        """Count what was noted of searches since the last time. From any thread; cheap where nothing was.

        A search has eight such figures, and a figure costs two writes to the files that processes share.
        """
        amounts: dict[Counter | _Histogram, list[float]] = {}
        while self._noted:
            try:
                metric, amount = self._noted.popleft()  # atomic: other threads append, or flush as well
            except IndexError:
                break
            amounts.setdefault(metric, []).append(amount)
        for metric, several in amounts.items():
            if isinstance(metric, _Histogram):
                metric.observe_all(several)
            else:
                metric.inc(sum(several))

    def exposition(self) -> bytes:
        """The text that Prometheus reads. Of other processes, what they have flushed."""
        self.flush()
        if not os.environ.get(MULTIPROCESS_VARIABLE):
            return generate_latest(self.registry)
        for _ in range(_SCRAPE_TRIES):
            # A new registry for each scrape, as prometheus_client requires in this mode.
            everyone = CollectorRegistry()
            multiprocess.MultiProcessCollector(everyone)  # type: ignore[no-untyped-call]
            everyone.register(WorkerProcesses(Path(os.environ[MULTIPROCESS_VARIABLE])))
            try:
                return generate_latest(everyone)
            except (OSError, ValueError):
                # A worker that starts or ends makes and removes its files meanwhile.
                time.sleep(_SCRAPE_AGAIN_S)
        raise NotReady("the metrics of the worker processes change too fast to be read")

    def retire_process(self) -> None:
        """Take this process out of the sums over processes that are alive."""
        self.flush()
        forget_process(os.getpid())


def forget_process(pid: int) -> None:
    """Take a process that ended, however it did, out of the sums over processes that are alive."""
    if os.environ.get(MULTIPROCESS_VARIABLE):
        multiprocess.mark_process_dead(pid)  # type: ignore[no-untyped-call]


class _Histogram(Histogram):
    """A histogram that counts several observations at once."""

    def observe_all(self, amounts: Sequence[float]) -> None:
        """As `observe` for each of them."""
        self._sum.inc(sum(amounts))
        # A bucket holds what is at most its bound; the last one's is infinite.
        for bucket, count in Tally(bisect_left(self._upper_bounds, amount) for amount in amounts).items():
            self._buckets[bucket].inc(count)


def _seconds(name: str, text: str, label: str, registry: CollectorRegistry) -> _Histogram:
    return _Histogram(name, text, [label], buckets=_BUCKETS, registry=registry)


def _from_zero(counter: Counter, *labels: tuple[str, ...]) -> Counter:
    """The counter with these series at zero: Prometheus sees no increase in one that begins at 1."""
    for values in labels:
        counter.labels(*values)
    return counter


def _gauge(
    name: str, text: str, registry: CollectorRegistry, labels: list[str] | None = None, *, mode: str = "livesum"
) -> Gauge:
    return Gauge(name, text, labels or [], registry=registry, multiprocess_mode=mode)  # type: ignore[arg-type]
