"""How well a fitted head finds what it was not shown: each support photo left out in turn, with all of its sketches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.arrays import Rows, Vectors

_SLACK = 1e-9
_STANDARD_ERRORS = 2.0
_RANK_ALL = 2_000  # photos
_NEAREST = 150  # of each sketch


@dataclass(frozen=True)
class Ranks:
    """Of some sketches' own photos among all: share ranked first, mean rank (1 is best), mean of 1 / rank."""

    acc_at_1: float
    mean_rank: float
    mrr: float

    @classmethod
    def of(cls, placed: NDArray[np.int64]) -> Ranks:
        """(Q,) ranks from 1 -> their figures."""
        return cls(float((placed == 1).mean()), float(placed.mean()), float((1 / placed).mean()))


@dataclass(frozen=True)
class LeaveOneOut:
    """`before`: of what serves without a fitted head. `after`: of heads fitted to the other support photos.

    `uncertainty`: standard error of the mean difference of 1 / rank, over sketches; 0 where one sketch is all there is.
    """

    before: Ranks
    after: Ranks
    uncertainty: float = 0.0

    @property
    def passes_gate(self) -> bool:
        """Whether `after` is not worse than `before` by more than chance explains, in the mean of 1 / rank.

        Measured on categories that no encoder was trained on: leave-one-out over a handful of sketches hardly says how
        a head will do on other photos, and heads that were fitted to fewer photos than the final one do worse. Refused
        at the slightest loss, a third of the heads would go, and with them a third of what fitting gains.
        """
        return self.after.mrr >= self.before.mrr - _STANDARD_ERRORS * self.uncertainty - _SLACK


def leave_one_out(
    owners: Rows, score_before: Callable[[Rows], Vectors], score_after: Callable[[Rows, Rows], Vectors]
) -> LeaveOneOut:
    """(S,) number of each sketch's photo -> figures over all S sketches.

    `score_before(asked)` and `score_after(asked, kept)` give (A, G) scores of the sketches `asked` against all photos,
    `after` by a head that was fitted to the sketches `kept` alone. With a single support photo `kept` is empty: what
    is measured then is the method before its first example.
    """
    before, after = np.empty(len(owners), np.int64), np.empty(len(owners), np.int64)
    for owner in np.unique(owners):
        asked, kept = np.flatnonzero(owners == owner), np.flatnonzero(owners != owner)
        before[asked] = ranks_of(score_before(asked), owners[asked])
        after[asked] = ranks_of(score_after(asked, kept), owners[asked])
    difference = 1 / after - 1 / before
    spread = float(difference.std(ddof=1)) / len(owners) ** 0.5 if len(owners) > 1 else 0.0
    return LeaveOneOut(Ranks.of(before), Ranks.of(after), spread)


def contenders(scores: Vectors, positives: Rows) -> Rows:
    """(S, G) scores without a fitted head, (S,) own photos -> ascending rows of the photos to rank among.

    All of them, or in a large category the nearest few hundred of each sketch and its own: who comes first, and with it
    nearly all of the mean of 1 / rank, is decided among those. A mean rank is then one among them.
    """
    if scores.shape[1] <= _RANK_ALL:
        return np.arange(scores.shape[1])
    nearest = np.argpartition(-scores, _NEAREST, axis=1)[:, :_NEAREST]
    return np.unique(np.concatenate([nearest.ravel(), positives]))


def ranks_of(scores: Vectors, own: Rows) -> Rows:
    """(Q, G), (Q,) -> (Q,) from 1; photos that tie with the own one count against it."""
    theirs = scores[np.arange(len(own)), own][:, None]
    placed: Rows = (scores >= theirs).sum(axis=1).astype(np.int64)
    return placed
