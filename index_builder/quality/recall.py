"""Recall of a store against its own exact search, and the fastest setting that reaches what is required."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from index_builder.artifact.manifest import RecallReport
from index_builder.quality.probes import Probe
from index_builder.stores.base import VectorStore
from index_builder.stores.choice import StoreVariant
from index_builder.stores.plan import SearchPlan
from index_builder.stores.ranking import top_k

RECALL_K = 10


def answers(store: VectorStore, probe: Probe, k: int = RECALL_K, *, exact: bool = False) -> list[frozenset[int]]:
    """The top k rows of each query, without its own row, as a search of the store returns them."""
    return [frozenset(_answer(store, probe, position, k, exact)) for position in range(len(probe.queries))]


def mean_recall(approximate: Sequence[frozenset[int]], exact: Sequence[frozenset[int]]) -> float:
    """Mean share of the exact answers that the approximate ones hold, in [0, 1]; 1 where there are no answers."""
    return _mean(_shares(approximate, exact))


def fastest_good(
    variants: Sequence[StoreVariant], probe: Probe, required: float, truth: VectorStore | None = None
) -> tuple[SearchPlan, RecallReport]:
    """The first of `variants` (fastest first) whose recall@10 reaches `required`, else the last; with its recall.

    It has to get there with a standard error to spare: a setting that just gets there on the probe's queries probably
    misses it on others, and the more so the fewer they are. `truth`: a store of the same rows whose exact search is
    cheaper than theirs.
    """
    first = variants[0]
    # Its answers are the truth that others are compared with; measuring it would double the time for a 1.0.
    if first.plan.is_exact:
        return first.plan, _report(1.0, probe)
    exact = answers(truth or first.store, probe, exact=True)
    for variant in variants:
        shares = _shares(answers(variant.store, probe), exact)
        if _mean(shares) - _standard_error(shares) >= required:
            break
    return variant.plan, _report(_mean(shares), probe)


def _shares(approximate: Sequence[frozenset[int]], exact: Sequence[frozenset[int]]) -> list[float]:
    """Of each query that has exact answers, the share of them that was found."""
    return [len(mine & truth) / len(truth) for mine, truth in zip(approximate, exact, strict=True) if truth]


def _mean(shares: Sequence[float]) -> float:
    return float(np.mean(shares)) if shares else 1.0


def _standard_error(shares: Sequence[float]) -> float:
    return float(np.std(shares, ddof=1) / np.sqrt(len(shares))) if len(shares) > 1 else 0.0


def _answer(store: VectorStore, probe: Probe, position: int, k: int, exact: bool) -> list[int]:
    query = probe.queries[position : position + 1]
    own_row = None if probe.own_rows is None else int(probe.own_rows[position])
    reach = k if own_row is None else k + 1  # a photo is its own nearest neighbour
    (candidates,) = store.candidates(query, reach, exact=exact)
    _, rows = top_k(store.products(query, candidates)[0], reach, candidates)
    return [int(row) for row in rows if row != own_row][:k]


def _report(recall: float, probe: Probe) -> RecallReport:
    return RecallReport(
        recall=recall,
        k=RECALL_K,
        queries=probe.kind,
        query_count=len(probe.queries),
        source=probe.source,
        unusable_sketches=probe.unusable,
    )
