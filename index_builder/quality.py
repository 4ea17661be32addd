"""Recall of a store against its own exact search, and the fastest setting that reaches what is required."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from index_builder.stores.base import VectorStore
from index_builder.stores.choice import StoreVariant
from index_builder.stores.plan import SearchPlan
from index_builder.stores.ranking import top_k
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


def photo_probe(store: VectorStore, max_queries: int = MAX_QUERIES) -> Probe:
    """Photos of the gallery, evenly spread, as stand-ins for sketches: each looks for its neighbours, not itself."""
    rows = spread(store.count, max_queries)
    return Probe(store.vectors_of(rows), rows)


def spread(count: int, at_most: int) -> Rows:
    """At most that many of `count` positions, evenly spread, the same ones each time."""
    return np.unique(np.linspace(0, count - 1, num=min(count, at_most)).round().astype(np.int64))


def answers(store: VectorStore, probe: Probe, k: int = RECALL_K, *, exact: bool = False) -> list[frozenset[int]]:
    """The top k rows of each query, without its own row, as a search of the store returns them."""
    return [frozenset(_answer(store, probe, position, k, exact)) for position in range(len(probe.queries))]


def recall(approximate: Sequence[frozenset[int]], exact: Sequence[frozenset[int]]) -> float:
    """Mean share of the exact answers that the approximate ones hold, in [0, 1]; 1 where there are no answers."""
    shares = [len(mine & truth) / len(truth) for mine, truth in zip(approximate, exact, strict=True) if truth]
    return float(np.mean(shares)) if shares else 1.0


def fastest_good(variants: Sequence[StoreVariant], probe: Probe, required: float) -> tuple[SearchPlan, float]:
    """The first of `variants` (fastest first) whose recall reaches `required`, else the last; with its recall."""
    if variants[0].plan.is_exact:
        return variants[0].plan, 1.0
    exact = answers(variants[0].store, probe, exact=True)
    for variant in variants:
        measured = recall(answers(variant.store, probe), exact)
        if measured >= required:
            break
    return variant.plan, measured


def _answer(store: VectorStore, probe: Probe, position: int, k: int, exact: bool) -> list[int]:
    query = probe.queries[position : position + 1]
    own_row = None if probe.own_rows is None else int(probe.own_rows[position])
    reach = k if own_row is None else k + 1
    (candidates,) = store.candidates(query, reach, exact=exact)
    _, rows = top_k(store.products(query, candidates)[0], reach, candidates)
    return [int(row) for row in rows if row != own_row][:k]
