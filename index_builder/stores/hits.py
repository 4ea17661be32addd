"""The best hits of one query in a vector store: candidates, their exact scores, the ranking, without hidden rows."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from index_builder.stores.base import VectorStore
from index_builder.stores.ranking import left_out, top_k
from models.arrays import Rows, Vectors

_MORE_FOR_HIDDEN = 64  # rows proposed beyond twice those requested, before it is known how many of them are hidden
_NONE: Rows = np.empty(0, np.int64)


class SearchHit(NamedTuple):
    """A row of the gallery and its cosine with the query, in [-1, 1]."""

    row: int
    score: float


def best_hits(
    store: VectorStore,
    query: Vectors,
    k: int,
    *,
    within: Rows | None = None,
    exact: bool = False,
    min_score: float | None = None,
    hidden: Rows | None = None,
) -> list[SearchHit]:
    """(E,) unit float32 vector -> its k best hits: score descending, equal scores by row; fewer where fewer match.

    `within`, `hidden`: ascending rows that are searched alone, and that are left out; k hits are found whatever is
    hidden. `exact`: see `VectorStore.candidates`. Hits below `min_score` are left out.
    """
    candidates, scores = _scored(store, query[None], k, within, exact, hidden if hidden is not None else _NONE)
    scores, best = top_k(scores, k, candidates)
    least = None if min_score is None else float(np.float32(min_score))  # scores are of that precision
    # Rounding may put the cosine of equal vectors a hair outside of [-1, 1]. What is no number stays none.
    clipped = [max(min(score, 1.0), -1.0) for score in scores.tolist()]
    return [
        SearchHit(row, score)
        for row, score in zip(best.tolist(), clipped, strict=True)
        if least is None or score >= least
    ]


def _scored(
    store: VectorStore, query: Vectors, k: int, within: Rows | None, exact: bool, hidden: Rows
) -> tuple[Rows, Vectors]:
    """Candidates (C,) without hidden ones, k of them where there are as many, and their scores (C,)."""
    requested = k + min(len(hidden), k + _MORE_FOR_HIDDEN)
    reachable = store.count if within is None else len(within)
    while True:
        (candidates,) = store.candidates(query, requested, within=within, exact=exact)
        gone = left_out(candidates, hidden) if len(hidden) else _NONE
        # All of them were candidates, or enough: an approximate store may have to propose more.
        if max(requested, len(candidates)) >= reachable or len(candidates) - len(gone) >= k:
            break
        requested = min(2 * requested, reachable)
    # Hidden ones are scored as well: every row in one go is faster than a copy of nearly all vectors.
    scores = store.products(query, candidates)[0]
    return (np.delete(candidates, gone), np.delete(scores, gone)) if len(gone) else (candidates, scores)
