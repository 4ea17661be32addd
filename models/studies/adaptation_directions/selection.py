"""Which member of a family counts: the one that does best on the other half of the categories (two-fold)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from models.arrays import Rows
from models.evaluation.few_shot.protocol import Trial
from models.studies.adaptation_directions.ways import Way


def cross_fitted(trial: Trial, families: Mapping[str, Sequence[Way]]) -> tuple[Trial, dict[str, tuple[str, str]]]:
    """A trial of every member -> one of every family, and of each family the members of even and odd tasks.

    Both searches of a trial become the one within the task. A member is chosen by its mean reciprocal rank over all
    k, on the tasks whose number is odd for the even ones and the reverse, so no figure is measured where it was chosen.
    """
    ks = sorted({k for _, k in trial.ranks})
    even = trial.tasks % 2 == 0
    ranks: dict[tuple[str, int], Rows] = {}
    chosen = {}
    for name, members in families.items():
        best = [_best(trial, members, ks, half) for half in (~even, even)]
        chosen[name] = (best[0].name, best[1].name)
        for k in ks:
            of_even, of_odd = (trial.ranks[way.name, k][:, :1] for way in best)
            ranks[name, k] = np.repeat(np.where(even[:, None], of_even, of_odd), 2, axis=1)
    return replace(trial, ranks=ranks), chosen


def _best(trial: Trial, members: Sequence[Way], ks: Sequence[int], rows: Rows) -> Way:
    def reciprocal(way: Way) -> float:
        return float(np.mean([(1 / trial.ranks[way.name, k][rows, 0]).mean() for k in ks]))

    return max(members, key=reciprocal)
