"""Two rankings of the same queries, compared query by query.

Two figures whose intervals overlap may still differ significantly: most of their spread is how hard these queries are,
which both share.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.evaluation.dataset_evaluation import FIGURES, query_values
from models.evaluation.intervals import Interval, bootstrap


@dataclass(frozen=True)
class Difference:
    """One figure minus another, in their unit, and the 95 % interval of that; None with fewer than two photos."""

    value: float
    interval: Interval | None


@dataclass(frozen=True)
class Paired:
    """`differences` of each of FIGURES. The counts are of queries whose photo is ranked first, as in McNemar's test."""

    differences: Mapping[str, Difference]
    both: int
    only_this: int
    only_other: int
    neither: int


def paired(this: NDArray[np.int64], other: NDArray[np.int64], photos: NDArray[np.int64], seed: int = 0) -> Paired:
    """(Q,) ranks of each, (Q,) number of each query's photo -> this minus other.

    The bootstrap resamples photos, as for one figure. McNemar's p is left out, since it takes the sketches of one photo
    for independent.
    """
    added = query_values(this) - query_values(other)
    intervals = bootstrap(added, photos, seed)
    differences = {
        name: Difference(float(value), intervals[number] if intervals else None)
        for number, (name, value) in enumerate(zip(FIGURES, added.mean(axis=0), strict=True))
    }
    first, second = this == 1, other == 1
    return Paired(
        differences=differences,
        both=int((first & second).sum()),
        only_this=int((first & ~second).sum()),
        only_other=int((~first & second).sum()),
        neither=int((~first & ~second).sum()),
    )
