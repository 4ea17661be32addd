"""Bootstrap intervals of figures that are means over queries."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 2000
LEVEL = 0.95
_DRAWS_AT_ONCE = 200_000  # bounds memory, not results


@dataclass(frozen=True)
class Interval:
    """Bounds of a figure, in its own unit."""

    low: float
    high: float


def bootstrap(
    values: NDArray[np.float64], photos: NDArray[np.int64], seed: int = 0, resamples: int = RESAMPLES
) -> tuple[Interval, ...] | None:
    """(Q, M) values whose means are M figures, (Q,) number of each query's photo -> M percentile intervals.

    Photos are resampled with replacement, not queries: each photo brings all of its sketches (cluster bootstrap, Efron
    and Tibshirani, An Introduction to the Bootstrap, 1993). Sketches of one photo are ranked alike, because they share
    what makes a photo easy or hard to find; three sketches of 60 photos say less than sketches of 180 photos would, and
    resampling queries would hide that. The intervals hold for other photos of these categories, drawn by such users,
    not for other categories.

    None for fewer than two photos. A figure that is the same for every photo has an interval without width.
    """
    _, cluster = np.unique(photos, return_inverse=True)
    count = int(cluster.max(initial=-1)) + 1
    if count < 2:
        return None
    sums = np.zeros((count, values.shape[1]), dtype=np.float64)
    np.add.at(sums, cluster, values)
    sketches = np.bincount(cluster, minlength=count)
    random = np.random.default_rng(seed)
    means = np.empty((resamples, values.shape[1]), dtype=np.float64)
    block = max(1, _DRAWS_AT_ONCE // count)
    for start in range(0, resamples, block):
        rows = np.arange(min(block, resamples - start))
        # Each resample has its own range of numbers, so that one bincount counts a whole block of them.
        drawn = random.integers(0, count, size=(len(rows), count)) + rows[:, None] * count
        times = np.bincount(drawn.ravel(), minlength=len(rows) * count).reshape(len(rows), count).astype(np.float64)
        # A ratio of sums: photos have different numbers of sketches, so the resample's number of queries varies too.
        means[start : start + len(rows)] = (times @ sums) / (times @ sketches)[:, None]
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(means, [tail, 1 - tail], axis=0)
    return tuple(Interval(float(a), float(b)) for a, b in zip(low, high, strict=True))
