"""The gate of few-shot adaptation: leave-one-out over the support photos, each left out in turn with all its sketches.

What is compared is the mean over sketches of 1 / rank of the own photo (the mean reciprocal rank), with an adapter
fitted to the other support photos against what serves without one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from models.adapters.adapter import Adapter
from models.arrays import Rows, Vectors
from models.ranking import ranks_of

ALLOWED_STANDARD_ERRORS = 2.0
"""How much worse an adapter may look in leave-one-out and still pass, in standard errors of the mean difference.

Measured on categories that no encoder was trained on: leave-one-out over a handful of sketches hardly says how an
adapter will do on other photos, and adapters fitted to fewer photos than the final one do worse. At zero, a third of
the adapters would be rejected, and with them a third of what fitting gains.
"""
# The same ranks in another order have means that differ in the last digits; that is no loss.
_ROUNDING = 1e-9
_RANK_ALL = 2_000  # photos
_NEAREST = 150  # of each sketch

AnyAdapter = TypeVar("AnyAdapter", bound=Adapter)


@dataclass(frozen=True)
class Ranks:
    """Of some sketches' own photos among all: share ranked first, mean rank (1 is best), mean of 1 / rank."""

    acc_at_1: float
    mean_rank: float
    mrr: float

    @classmethod
    def of(cls, ranks: Rows) -> Ranks:
        """(Q,) ranks from 1, Q at least 1 -> their figures."""
        return cls(float((ranks == 1).mean()), float(ranks.mean()), float((1 / ranks).mean()))


@dataclass(frozen=True)
class LeaveOneOut:
    """`before`: of what serves without an adapter. `after`: of adapters fitted to the other support photos.

    `standard_error`: of the mean difference of 1 / rank, over sketches; 0 where one sketch is all there is.
    """

    before: Ranks
    after: Ranks
    standard_error: float = 0.0

    @property
    def passes_gate(self) -> bool:
        """Whether `after.mrr` is not worse than `before.mrr` by more than two standard errors.

        It does not say that the adapter improves anything: one that lost up to two standard errors passes.
        """
        return self.after.mrr >= self.before.mrr - ALLOWED_STANDARD_ERRORS * self.standard_error - _ROUNDING

    def explained(self) -> str:
        """The gate's verdict in words, with its figures; a clause to be put after "because" or a colon."""
        loss = self.before.mrr - self.after.mrr
        if loss <= _ROUNDING:
            verdict = "did not get worse"
        elif self.passes_gate:
            verdict = f"got worse by no more than {ALLOWED_STANDARD_ERRORS:g} standard errors"
        else:
            verdict = f"got worse by more than {ALLOWED_STANDARD_ERRORS:g} standard errors"
        return (
            f"leave-one-out {verdict}: mean of 1 / rank {self.before.mrr:.3f} before and {self.after.mrr:.3f} after "
            f"(standard error {self.standard_error:.3f}), first place {self.before.acc_at_1:.0%} before and "
            f"{self.after.acc_at_1:.0%} after"
        )


@dataclass(frozen=True)
class Fitted(Generic[AnyAdapter]):
    """An adapter fitted to examples, and how adapters like it did on the photos that they were not shown.

    `margin`: the predicted one, None for methods that have none.
    """

    adapter: AnyAdapter
    leave_one_out: LeaveOneOut
    margin: float | None = None

    @property
    def passes_gate(self) -> bool:
        """Not worse by more than two standard errors; see `LeaveOneOut.passes_gate`."""
        return self.leave_one_out.passes_gate


def leave_one_out(
    owners: Rows, score_before: Callable[[Rows], Vectors], score_after: Callable[[Rows, Rows], Vectors]
) -> LeaveOneOut:
    """(S,) number of each sketch's photo -> figures over all S sketches.

    `score_before(held_out)` and `score_after(held_out, kept)` give (H, G) scores of the sketches `held_out` against all
    photos, `after` by an adapter fitted to the sketches `kept` alone. With a single support photo `kept` is empty: what
    is measured then is the method before its first example.
    """
    before, after = np.empty(len(owners), np.int64), np.empty(len(owners), np.int64)
    for owner in np.unique(owners):
        held_out, kept = np.flatnonzero(owners == owner), np.flatnonzero(owners != owner)
        before[held_out] = ranks_of(score_before(held_out), owners[held_out])
        after[held_out] = ranks_of(score_after(held_out, kept), owners[held_out])
    difference = 1 / after - 1 / before
    standard_error = float(difference.std(ddof=1)) / len(owners) ** 0.5 if len(owners) > 1 else 0.0
    return LeaveOneOut(Ranks.of(before), Ranks.of(after), standard_error)


def contenders(scores: Vectors, positives: Rows) -> Rows:
    """(S, G) scores without an adapter, (S,) own photos -> (R,) ascending rows of the photos to rank among.

    All of them, or in a large category the nearest 150 of each sketch and its own: who comes first, and with it nearly
    all of the mean of 1 / rank, is decided among those. A mean rank is then one among them.
    """
    if scores.shape[1] <= _RANK_ALL:
        return np.arange(scores.shape[1])
    nearest = np.argpartition(-scores, _NEAREST, axis=1)[:, :_NEAREST]
    # A sketch's own photo may not be near it, yet needs a rank. The rows come out ascending, as `searchsorted` in
    # `fit_category` requires.
    return np.unique(np.concatenate([nearest.ravel(), positives]))
