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
    """(Q, M) what each query adds to M means, (Q,) number of the photo it was drawn from -> M percentile intervals.

    What is drawn anew, with replacement, is photos and not queries: each brings all of its sketches. Sketches of one
    photo fare alike, because what makes a photo easy or hard to find (is another one nearly the same?) is shared by
    them; three sketches of 60 photos say less than sketches of 180 photos would, and drawing queries would hide that.
    The intervals speak of other photos of these categories, drawn by such people: not of other categories.

    None for fewer than two photos. A figure that is the same for every photo has an interval without width.
    """
    _, place = np.unique(photos, return_inverse=True)
    count = int(place.max(initial=-1)) + 1
    if count < 2:
        return None
    sums = np.zeros((count, values.shape[1]), dtype=np.float64)
    np.add.at(sums, place, values)
    sketches = np.bincount(place, minlength=count)
    random = np.random.default_rng(seed)
    means = np.empty((resamples, values.shape[1]), dtype=np.float64)
    block = max(1, _DRAWS_AT_ONCE // count)
    for start in range(0, resamples, block):
        rows = np.arange(min(block, resamples - start))
        drawn = random.integers(0, count, size=(len(rows), count)) + rows[:, None] * count
        times = np.bincount(drawn.ravel(), minlength=len(rows) * count).reshape(len(rows), count).astype(np.float64)
        means[start : start + len(rows)] = (times @ sums) / (times @ sketches)[:, None]
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(means, [tail, 1 - tail], axis=0)
    return tuple(Interval(float(a), float(b)) for a, b in zip(low, high, strict=True))
