"""Retrieval figures from ranks. One photo per query is relevant: the one that the sketch was drawn from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def accuracy_at(ranks: NDArray[np.int64], k: int) -> float:
    """(Q,) -> share of queries whose photo is among the first k, in [0, 1]."""
    return float((ranks <= k).mean())


def mean_average_precision(ranks: NDArray[np.int64]) -> float:
    """(Q,) -> mAP in (0, 1]; with one relevant photo per query it is the mean reciprocal rank."""
    return float((1.0 / ranks).mean())


def mean_rank(ranks: NDArray[np.int64]) -> float:
    """(Q,) -> mean rank, from 1."""
    return float(ranks.mean())
