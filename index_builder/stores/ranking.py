"""The one ranking of scored rows, with ties, that searches, category adapters and recall measurements share."""

from __future__ import annotations

import numpy as np

from models.arrays import Rows, Vectors

_FEW_SCORES = 512  # candidates of an approximate store: sorting them takes less time than selecting first


def top_k(scores: Vectors, k: int, rows: Rows | None = None) -> tuple[Vectors, Rows]:
    """(R,) scores of ascending rows -> scores (K,), rows (K,), K = min(k, R): best first, equal scores by row.

    `rows` None: the scores are those of rows 0 … R - 1. Every score that equals the k-th takes part before the cut, so
    the lower row wins, whichever way the selection happened to order them.
    """
    k = min(k, len(scores))
    if k <= 0:
        return np.empty(0, np.float32), np.empty(0, np.int64)
    if len(scores) <= _FEW_SCORES:
        best = np.argsort(-scores, kind="stable")[:k]
        return scores[best], best if rows is None else rows[best]
    if k == len(scores):
        best = (-scores).argsort(kind="stable")
    else:
        selected = scores.copy()
        selected.partition(len(scores) - k)
        (positions,) = (scores >= selected[len(scores) - k]).nonzero()
        # Positions ascend, so a stable sort leaves equal scores in the order of their rows.
        best = positions[(-scores[positions]).argsort(kind="stable")[:k]]
    return scores[best], best if rows is None else rows[best]


def left_out(rows: Rows, hidden: Rows) -> Rows:
    """Positions in ascending `rows` (R,) of those that are among the ascending `hidden` (H,)."""
    positions = np.searchsorted(rows, hidden)
    inside = positions < len(rows)
    found: Rows = positions[inside][rows[positions[inside]] == hidden[inside]]
    return found
