"""The gate of few-shot adaptation: leave-one-out over the support photos, each left out in turn with all its sketches.

What is compared is the mean over sketches of 1 / rank of the own photo (the mean reciprocal rank), with an adapter
fitted to the other support photos against what serves without one, or with the active adapter.

A handful of sketches hardly says how an adapter will do on other photos. So leave-one-out is one of two sources: the
other is what such adapters gained in other categories (`GainPrior`). Their precision-weighted mean is the expected
gain, and an adapter passes where that is positive. Without a prior, leave-one-out alone decides, with an allowance for
its error.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

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

_NOISE_PHOTOS = 4.0
"""Photos that the usual noise counts for: the spread of two or three photos is no estimate of it."""

_MOST_FACTOR = 1.5
_SPREAD_SAMPLE = 256  # photos: more change the third digit of their variance

AnyAdapter = TypeVar("AnyAdapter", bound=Adapter)


class GainPrior(BaseModel):
    """What adapters gain on other photos of their category, in the mean of 1 / rank; learned across categories.

    A fit to P photos gains `mean` * P / (P + `photos`) on average, with the standard `deviation` between categories.
    `noise`: standard deviation of one support photo's gain in leave-one-out. A `deviation` of 0 means that nothing is
    known.

    Encoders spread the sketches of a category that they know as widely as its photos, and there adapters gain nothing;
    the sketches of others lie close together. So the mean falls with `spread_ratio`, from its full value at
    `usual_spread` to zero at `known_spread` and on below; a `known_spread` of 0 leaves it as it is.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    mean: float = 0.0
    deviation: float = Field(default=0.0, ge=0)
    photos: float = Field(default=2.0, ge=0)
    noise: float = Field(default=0.2, gt=0)
    usual_spread: float = Field(default=0.5, ge=0)
    known_spread: float = Field(default=0.0, ge=0)

    def usual(self, photos: int, live_photos: int = 0) -> float:
        """The mean gain of a fit to so many photos over one to `live_photos`, 0 for none."""
        return self.mean * (photos / (photos + self.photos) - live_photos / max(live_photos + self.photos, 1e-9))

    def for_spread(self, ratio: float | None) -> GainPrior:
        """The prior of a category with that `spread_ratio`; itself where there is none."""
        if ratio is None or not self.known_spread:
            return self
        factor = (self.known_spread - ratio) / (self.known_spread - self.usual_spread)
        # A ratio of two or three photos strays far, and must not promise more than half as much again.
        return self.model_copy(update={"mean": self.mean * min(max(factor, -1.0), _MOST_FACTOR)})

    def expected(self, gains: Vectors, live_photos: int = 0) -> ExpectedGain | None:
        """(P,) each support photo's gain in leave-one-out -> the gain to expect on others; None without knowledge.

        The posterior of a normal mean: prior and leave-one-out, each weighed by 1 / its variance. The variance of a
        photo's gain is pooled with `noise`, which counts for four photos.
        """
        if not self.deviation:
            return None
        spread = float(np.square(gains - gains.mean()).sum())
        variance = (_NOISE_PHOTOS * self.noise**2 + spread) / (_NOISE_PHOTOS + len(gains) - 1) / len(gains)
        weights = 1 / self.deviation**2, 1 / variance
        mean = (weights[0] * self.usual(len(gains), live_photos) + weights[1] * float(gains.mean())) / sum(weights)
        return ExpectedGain(mean, sum(weights) ** -0.5)


@dataclass(frozen=True)
class ExpectedGain:
    """The change of the mean of 1 / rank that is expected on other drawings, and its standard deviation."""

    mean: float
    deviation: float


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
    """`before`: of what would serve otherwise. `after`: of adapters fitted to the other support photos.

    `standard_error`: of the mean difference of 1 / rank, over sketches; 0 where one sketch is all there is. `expected`:
    None where nothing is known of other categories.
    """

    before: Ranks
    after: Ranks
    standard_error: float = 0.0
    expected: ExpectedGain | None = None

    @property
    def passes_gate(self) -> bool:
        """Whether the expected gain is positive.

        Where nothing is expected: whether `after.mrr` is not worse than `before.mrr` by more than two standard errors,
        so that an adapter which lost up to two standard errors passes.
        """
        if self.expected is not None:
            return self.expected.mean > 0
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
        told = (
            f"leave-one-out {verdict}: mean of 1 / rank {self.before.mrr:.3f} before and {self.after.mrr:.3f} after "
            f"(standard error {self.standard_error:.3f}), first place {self.before.acc_at_1:.0%} before and "
            f"{self.after.acc_at_1:.0%} after"
        )
        if self.expected is None:
            return told
        change = f"{self.expected.mean:+.3f} (standard deviation {self.expected.deviation:.3f})"
        return f"a change of {change} in the mean of 1 / rank is expected on other drawings; {told}"


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
        """See `LeaveOneOut.passes_gate`."""
        return self.leave_one_out.passes_gate


def leave_one_out(
    owners: Rows,
    score_before: Callable[[Rows], Vectors],
    score_after: Callable[[Rows, Rows], Vectors],
    prior: GainPrior | None = None,
    live_photos: int = 0,
) -> LeaveOneOut:
    """(S,) number of each sketch's photo -> figures over all S sketches.

    `live_photos`: how many photos the adapter was fitted to that `score_before` stands for, 0 for none.

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
    # Sketches of one photo are ranked alike, so each photo is one observation.
    gains = np.array([difference[owners == owner].mean() for owner in np.unique(owners)], np.float32)
    expected = prior.expected(gains, live_photos) if prior is not None else None
    return LeaveOneOut(Ranks.of(before), Ranks.of(after), standard_error, expected)


def spread_ratio(sketches: Vectors, positives: Rows, photos: Vectors) -> float | None:
    """(S, E) sketches, (S,) own photos, (G, E) photos -> the variance of sketches between photos over that of photos.

    Sketches of one photo are averaged first. None for sketches of fewer than two photos, and photos that are all alike.
    """
    drawn = np.unique(positives)
    if len(drawn) < 2:
        return None
    means = np.stack([sketches[positives == photo].mean(axis=0) for photo in drawn])
    sample = photos[:: max(1, -(-len(photos) // _SPREAD_SAMPLE))]
    among_photos = float(sample.var(axis=0, ddof=1).sum()) if len(sample) > 1 else 0.0
    return float(means.var(axis=0, ddof=1).sum()) / among_photos if among_photos > _ROUNDING else None


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
