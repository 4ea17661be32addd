"""Recall of an index against exact search, and the fastest setting that reaches what is wanted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from index_builder.artifact.manifest import SearchPlan
from index_builder.stores.candidates import CandidateStore, FaissStore
from index_builder.stores.exact import exact_top_k
from models.arrays import Rows, Vectors

RECALL_K = 10
# Settings are raised until this is reached (or the gate, when that is higher).
TARGET_RECALL = 0.98
MAX_QUERIES = 500


@dataclass(frozen=True)
class Probe:
    """Queries (Q, E) to measure recall with, and the rows (Q,) that are these very vectors: they do not count."""

    queries: Vectors
    own_rows: Rows | None = None


def photo_probe(vectors: Vectors, max_queries: int = MAX_QUERIES) -> Probe:
    """Photos of the gallery, evenly spread, as stand-ins for sketches: each looks for its neighbours, not itself."""
    rows = spread(len(vectors), max_queries)
    return Probe(np.ascontiguousarray(vectors[rows]), rows)


def spread(count: int, at_most: int) -> Rows:
    """At most that many of `count` places, evenly spread, the same ones each time."""
    return np.unique(np.linspace(0, count - 1, num=min(count, at_most)).round().astype(np.int64))


def answers(
    vectors: Vectors, probe: Probe, k: int = RECALL_K, store: CandidateStore | None = None
) -> list[frozenset[int]]:
    """The top k rows of each query: through `store` as a search would, without one exactly."""
    return [frozenset(_answer(vectors, probe, place, k, store)) for place in range(len(probe.queries))]


def recall(found: Sequence[frozenset[int]], exact: Sequence[frozenset[int]]) -> float:
    """Mean share of the exact answers that were found, in [0, 1]; 1 where there was nothing to find."""
    shares = [len(mine & truth) / len(truth) for mine, truth in zip(found, exact, strict=True) if truth]
    return float(np.mean(shares)) if shares else 1.0


def fastest_good(
    vectors: Vectors, index: Any, steps: Sequence[SearchPlan], probe: Probe, wanted: float
) -> tuple[SearchPlan, float]:
    """The first of `steps` (fastest first) whose recall reaches `wanted`, else the last; with its recall."""
    exact = answers(vectors, probe)
    for step in steps:
        measured = recall(answers(vectors, probe, store=FaissStore(index, step)), exact)
        if measured >= wanted:
            break
    return step, measured


def _answer(vectors: Vectors, probe: Probe, place: int, k: int, store: CandidateStore | None) -> list[int]:
    query = probe.queries[place]
    own = None if probe.own_rows is None else int(probe.own_rows[place])
    reach = k if own is None else k + 1
    proposed = None if store is None else store.candidates(query, reach)
    _, rows = exact_top_k(vectors, query, reach, proposed)
    return [int(row) for row in rows if row != own][:k]
