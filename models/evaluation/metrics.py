"""Retrieval figures from ranks. One relevant photo a query: the photo that the sketch was drawn from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def ranks(scores: NDArray[np.floating], targets: NDArray[np.integer], tolerance: float = 0.0) -> NDArray[np.int64]:
    """(Q, G) scores, higher is better, (Q,) column of the right photo -> (Q,) ranks from 1.

    A tie counts against the query: an encoder that gives every photo the same score is last, not first. Scores no
    more than `tolerance` below the right photo's are ties.
    """
    own = scores[np.arange(len(scores)), targets]
    # "Not worse" and not "at least as good": what is not a number counts against the query as well.
    result: NDArray[np.int64] = (~(scores < own[:, None] - tolerance)).sum(axis=1)
    return result


def accuracy_at(ranks_: NDArray[np.int64], k: int) -> float:
    """(Q,) -> share of queries whose photo is among the first k, in [0, 1]."""
    return float((ranks_ <= k).mean())


def mean_average_precision(ranks_: NDArray[np.int64]) -> float:
    """(Q,) -> mAP in (0, 1]; with one relevant photo a query it is the mean reciprocal rank."""
    return float((1.0 / ranks_).mean())


def mean_rank(ranks_: NDArray[np.int64]) -> float:
    """(Q,) -> mean rank, from 1."""
    return float(ranks_.mean())
