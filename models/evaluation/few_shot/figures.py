"""Figures of a trial, with intervals, and how methods differ query by query."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.evaluation.few_shot.protocol import SEARCHES, Trial
from models.evaluation.intervals import Interval, bootstrap

TASKS_ENOUGH = 5
"""With fewer tasks than this, intervals resample photos, not tasks: two categories leave too little to resample."""

AT = (1, 5)

Arm = tuple[str, int]
"""A method's name and k."""


@dataclass(frozen=True)
class Share:
    """A share of queries in [0, 1], or a difference of two; `interval` None where nothing can be resampled."""

    value: float
    interval: Interval | None

    def as_dict(self) -> dict[str, float]:
        """Rounded to four digits, for JSON."""
        ends = {"low": self.interval.low, "high": self.interval.high} if self.interval else {}
        return {name: round(number, 4) for name, number in {"value": self.value, **ends}.items()}

    @property
    def is_significant(self) -> bool:
        """Whether the interval leaves out zero, so that a difference is significant."""
        return self.interval is not None and (self.interval.low > 0 or self.interval.high < 0)


@dataclass(frozen=True)
class ArmFigures:
    """The figures of one arm by (search, k of acc@k): its shares, and its gains over the baseline."""

    arm: Arm
    shares: dict[tuple[str, int], Share]
    gains: dict[tuple[str, int], Share]


def resampled(trial: Trial) -> tuple[str, NDArray[np.int64]]:
    """What intervals resample, in words and as (Q,) numbers: tasks, or the queried photos where tasks are few."""
    if len(trial.task_names) >= TASKS_ENOUGH:
        return trial.unit.plural, trial.tasks
    return "photos", trial.photos


def hits(trial: Trial, arm: Arm) -> NDArray[np.float64]:
    """(Q, searches * AT): whether the photo is among the first."""
    ranks = trial.ranks[arm]
    return np.stack([ranks[:, search] <= at for search in range(len(SEARCHES)) for at in AT], axis=1).astype(np.float64)


def arm_figures(trial: Trial, arms: Sequence[Arm], baseline: str, *, seed: int = 0) -> list[ArmFigures]:
    """Every arm, compared with the baseline of the same k. All intervals come from the same resamples."""
    names = [(search, at) for search in SEARCHES for at in AT]
    own = [hits(trial, arm) for arm in arms]
    # Differences are taken per query: what makes a query hard is in both and drops out of the interval.
    gained = [each - hits(trial, (baseline, arm[1])) for arm, each in zip(arms, own, strict=True)]
    measured = shares(trial, np.concatenate([*own, *gained], axis=1), seed=seed)
    figures = []
    for number, arm in enumerate(arms):
        mine = measured[number * len(names) : (number + 1) * len(names)]
        gain = measured[(len(arms) + number) * len(names) : (len(arms) + number + 1) * len(names)]
        figures.append(ArmFigures(arm, dict(zip(names, mine, strict=True)), dict(zip(names, gain, strict=True))))
    return figures


def difference(trial: Trial, arm: Arm, other: Arm, *, seed: int = 0) -> Share:
    """acc@1 within the task of one arm minus that of another, query by query."""
    first = [(trial.ranks[each][:, 0] <= 1).astype(np.float64) for each in (arm, other)]
    return shares(trial, (first[0] - first[1])[:, None], seed=seed)[0]


def shares(trial: Trial, values: NDArray[np.float64], *, seed: int = 0) -> list[Share]:
    """(Q, M) values of the queries -> their M means, with intervals."""
    intervals = bootstrap(values, resampled(trial)[1], seed) or (None,) * values.shape[1]
    return [Share(float(mean), interval) for mean, interval in zip(values.mean(axis=0), intervals, strict=True)]


def by_task(trial: Trial, arm: Arm) -> NDArray[np.float64]:
    """(tasks,) acc@1 within the task, in the order of `task_names`."""
    first = (trial.ranks[arm][:, 0] <= 1).astype(np.float64)
    counts = np.bincount(trial.tasks, minlength=len(trial.task_names))
    mean: NDArray[np.float64] = np.bincount(trial.tasks, first, minlength=len(trial.task_names)) / counts
    return mean
