"""All validation queries of a bundle as one sample, paired with another bundle's results on the same queries.

A variant's loss on one split says little: on 40 chairs, one sketch is 2.5 points. Pooled, and compared query by query,
a loss of half a point can be told from rounding.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.bundle import Bundle
from models.evaluation.intervals import Interval, bootstrap
from models.evaluation.kinds.measure import KindTask, evaluate_kinds
from models.export.gates import GateNotPassed
from models.export.split_figures import Galleries, SplitRows, encode_splits


class LossTooHigh(GateNotPassed):
    """The variant may lose more acc@1 relative to its parent than allowed."""


@dataclass(frozen=True)
class QueryOutcomes:
    """(Q,) whether each query found what it looks for first; (Q,) `groups`: equal for queries that succeed together."""

    first: NDArray[np.bool_]
    groups: NDArray[np.str_]


@dataclass(frozen=True)
class Measured:
    """What a bundle makes of the material: `splits` within a category, and `outcomes` of every query, by split."""

    splits: Mapping[str, SplitRows]
    outcomes: Mapping[str, QueryOutcomes]


@dataclass(frozen=True)
class PooledDifference:
    """acc@1 of this minus the other's over all `queries`, as a share, with its 95 % interval; None for one group alone.

    `only_this`, `only_other`: queries that one of the two answered right.
    """

    queries: int
    value: float
    interval: Interval | None
    only_this: int
    only_other: int

    def require_loss_within(self, most: float) -> None:
        """Raises LossTooHigh unless the interval excludes a loss of more than `most`, as a share."""
        largest = 1.0 if self.interval is None else max(0.0, -self.interval.low)
        if largest > most:
            raise LossTooHigh(
                f"{self}; the gate admits a loss of {100 * most:.1f} points", measured=round(largest, 4), required=most
            )

    def __str__(self) -> str:
        """The difference in points, for a log."""
        between = (
            "" if self.interval is None else f" ({100 * self.interval.low:+.2f} to {100 * self.interval.high:+.2f})"
        )
        return f"{100 * self.value:+.2f} points of acc@1{between} over {self.queries:,} queries"

    def as_dict(self) -> dict[str, object]:
        """Shares rounded to five digits, for a manifest."""
        interval = self.interval and {"low": round(self.interval.low, 5), "high": round(self.interval.high, 5)}
        counts = {"only_variant": self.only_this, "only_parent": self.only_other}
        return {"queries": self.queries, "difference": round(self.value, 5), "interval": interval, **counts}


def measure_queries(bundle: Bundle, galleries: Galleries, kinds: Mapping[str, KindTask]) -> Measured:
    """Every query as it is served: an instance among its category's photos, a kind among the whole mixed gallery."""
    splits = encode_splits(bundle, galleries)
    outcomes = {}
    for name, split in splits.items():
        photos = [
            f"{query.photo.category}/{query.photo.photo_id}" for part in split.galleries for query in part.queries
        ]
        outcomes[name] = QueryOutcomes(split.served_ranks() == 1, np.array(photos))
    for name, task in kinds.items():
        ranks = evaluate_kinds(bundle, task).ranks
        # Drawings of a kind are found or missed together, so that a kind counts as a photo does.
        outcomes[name] = QueryOutcomes(ranks == 1, np.array([drawing.category for drawing in task.drawings]))
    return Measured(splits, outcomes)


def pooled_difference(this: Mapping[str, QueryOutcomes], other: Mapping[str, QueryOutcomes]) -> PooledDifference:
    """Two bundles' outcomes on the same splits -> this minus other over all queries; the bootstrap resamples groups."""
    mine, theirs = (np.concatenate([part.first for part in parts.values()]) for parts in (this, other))
    groups = _numbered([(name, group) for name, part in this.items() for group in part.groups.tolist()])
    added = mine.astype(np.float64) - theirs
    intervals = bootstrap(added[:, None], groups)
    return PooledDifference(
        queries=len(added),
        value=float(added.mean()),
        interval=intervals[0] if intervals else None,
        only_this=int((mine & ~theirs).sum()),
        only_other=int((theirs & ~mine).sum()),
    )


def _numbered(names: Sequence[tuple[str, str]]) -> NDArray[np.int64]:
    numbers: dict[tuple[str, str], int] = {}
    return np.array([numbers.setdefault(name, len(numbers)) for name in names], dtype=np.int64)
