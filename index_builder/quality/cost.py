"""What a search costs: its time on one thread, and the bytes that each photo takes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from index_builder.artifact import layout
from index_builder.artifact.manifest import SearchCost, SegmentEntry
from index_builder.quality.probes import Probe, spread
from index_builder.quality.recall import RECALL_K
from index_builder.stores.base import VectorStore
from index_builder.stores.choice import store_files
from index_builder.stores.plan import memory_per_photo
from index_builder.stores.ranking import top_k
from models.arrays import Vectors

_TIMED_QUERIES = 100
_ENOUGH_S = 1.0  # of timing: exact searches of a large gallery take tens of milliseconds each


def search_cost(
    version: Path, segments: Sequence[SegmentEntry], store: VectorStore, probe: Probe, dim: int
) -> SearchCost:
    """The cost of searching `store`, which holds the live rows of the segments, with the queries of the probe.

    `version`: the folder of the version, published or staged. Queries were answered before, so what they touch is in
    memory; encoding a sketch is not part of the time. Raises OSError.
    """
    times_ms = _times_ms(store, probe)
    files = [layout.segment_dir(version, entry.name) / name for entry in segments for name in store_files(entry.search)]
    memory = sum(entry.count * memory_per_photo(entry.search, entry.count, dim) for entry in segments)
    return SearchCost(
        ms_p50=round(float(np.median(times_ms)), 3),
        ms_p95=round(float(np.percentile(times_ms, 95)), 3),
        queries=len(times_ms),
        bytes_per_photo=round(sum(file.stat().st_size for file in files) / store.count, 1),
        memory_per_photo=round(memory / store.count, 1),
    )


def _times_ms(store: VectorStore, probe: Probe) -> list[float]:
    """Milliseconds of up to a hundred queries, spread over the probe; of fewer where they take long."""
    times_ms: list[float] = []
    for position in spread(len(probe.queries), _TIMED_QUERIES).tolist():
        times_ms.append(_milliseconds(store, probe.queries[position : position + 1]))
        if sum(times_ms) > _ENOUGH_S * 1000:
            break
    return times_ms


def _milliseconds(store: VectorStore, query: Vectors) -> float:
    started = time.perf_counter()
    (candidates,) = store.candidates(query, RECALL_K)
    top_k(store.products(query, candidates)[0], RECALL_K, candidates)
    return (time.perf_counter() - started) * 1000
