"""Whether confidences hold: of the results that are given 0.7, seven in ten should be right."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.evaluation.intervals import Interval, bootstrap

BINS = 10


@dataclass(frozen=True)
class Bin:
    """Results of similar confidence: the mean of it, the share that is right with its interval, how many they are."""

    confidence: float
    right: float
    count: int
    interval: Interval | None


@dataclass(frozen=True)
class Reliability:
    """`bins`: from the least to the most confident. `error`: the expected calibration error. `log_loss`: in nats."""

    bins: tuple[Bin, ...]
    error: float
    log_loss: float

    @property
    def count(self) -> int:
        """Results that were judged."""
        return sum(part.count for part in self.bins)


def reliability(
    confidences: NDArray[np.floating], right: NDArray[np.bool_], groups: NDArray[np.int64], seed: int = 0
) -> Reliability:
    """(N,) in [0, 1], (N,) whether each is right, (N,) equal numbers for results that succeed together -> figures.

    Bins hold equally many results (Nguyen and O'Connor, Posterior calibration and exploratory analysis, 2015): bins of
    equal width would put nearly all results of a hard gallery into one. Intervals resample groups.
    """
    bins = []
    for rows in _binned(confidences):
        hits = right[rows].astype(np.float64)
        intervals = bootstrap(hits[:, None], groups[rows], seed)
        interval = intervals[0] if intervals else None
        bins.append(Bin(float(confidences[rows].mean()), float(hits.mean()), len(rows), interval))
    return Reliability(tuple(bins), calibration_error(confidences, right), log_loss(confidences, right))


def calibration_error(confidences: NDArray[np.floating], right: NDArray[np.bool_]) -> float:
    """(N,), (N,) -> the mean over bins of equal size of how far confidence and share of right results lie apart."""
    gaps = [abs(float(confidences[rows].mean() - right[rows].mean())) * len(rows) for rows in _binned(confidences)]
    return sum(gaps) / max(1, len(confidences))


def log_loss(confidences: NDArray[np.floating], right: NDArray[np.bool_]) -> float:
    """(N,), (N,) -> mean negative log-likelihood, confidences kept off 0 and 1 by 1e-6."""
    kept = np.clip(np.asarray(confidences, np.float64), 1e-6, 1 - 1e-6)
    return float(-np.log(np.where(right, kept, 1 - kept)).mean())


def area_under_curve(positive: NDArray[np.floating], negative: NDArray[np.floating]) -> float:
    """(P,), (N,) -> probability that a positive's value is above a negative's, ties counting half (AUC)."""
    values = np.sort(negative)
    below = np.searchsorted(values, positive, side="left") + np.searchsorted(values, positive, side="right")
    return float(below.mean() / (2 * len(negative)))


def _binned(confidences: NDArray[np.floating]) -> list[NDArray[np.int64]]:
    """(N,) -> the rows of each bin, from the least confident, equally many in each."""
    order = np.argsort(confidences, kind="stable").astype(np.int64)
    return np.array_split(order, min(BINS, len(order))) if len(order) else []
