"""Searches with known answers, as a calibration sees them: the ten best scores, and whether the first is right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.arrays import Vectors
from models.bundle import CALIBRATION_DEPTH, likeness
from models.ranking import top_columns


@dataclass(frozen=True)
class Searches:
    """Q searches of one domain.

    `scores` (Q, 10): the best first, NaN where fewer photos were searched. `likeness` (Q,): of the best photo with the
    others of the ten. `right` (Q,): whether the first result is. `present` (Q,): whether the gallery had a right photo
    at all. `groups` (Q,): names of what succeeds together, a kind or a category, kept in one fold. `nonsense`: drawings
    of nothing, for which no photo is right.
    """

    domain: str
    scores: NDArray[np.float64]
    likeness: NDArray[np.float64]
    right: NDArray[np.bool_]
    present: NDArray[np.bool_]
    groups: NDArray[np.str_]
    nonsense: bool = False

    @property
    def fitted(self) -> NDArray[np.bool_]:
        """(Q,) which searches probabilities are fitted to: with a right photo, or of nothing, where all are wrong."""
        return np.ones_like(self.present) if self.nonsense else self.present


@dataclass(frozen=True)
class Scored:
    """Q queries scored against G photos: `scores` (Q, G), `right` (Q, G), `groups` (Q,), `photos` (G, D) unit rows.

    `photos` are what the likeness is computed from; None where it is not used.
    """

    domain: str
    scores: NDArray[np.floating]
    right: NDArray[np.bool_]
    groups: NDArray[np.str_]
    photos: Vectors | None = None


def searches(scored: Scored, *, absent: bool, size: int | None, seed: int = 0) -> Searches:
    """Every query searched for; `absent`: without the photos that are right for it.

    `size`: among so many photos drawn at random, and one that is right unless `absent`; None: among all. Few photos
    make a search easy, and a calibration has to hold for galleries of any size.
    """
    random = np.random.default_rng(seed)
    count = len(scored.scores)
    top = np.full((count, CALIBRATION_DEPTH), np.nan)
    alike, right = np.zeros(count), np.zeros(count, bool)
    for row in range(count):
        columns = _columns(scored.right[row], absent, size, random)
        order = columns[top_columns(scored.scores[row : row + 1, columns], CALIBRATION_DEPTH)[0]]
        if not len(order):
            continue
        top[row, : len(order)] = scored.scores[row, order]
        right[row] = scored.right[row, order[0]]
        if scored.photos is not None:
            alike[row] = likeness(scored.photos[order])
    return Searches(scored.domain, top, alike, right, np.full(count, not absent), scored.groups)


def joined(parts: Sequence[Searches], domain: str) -> Searches:
    """Several as one."""
    return Searches(
        domain,
        np.concatenate([part.scores for part in parts]),
        np.concatenate([part.likeness for part in parts]),
        np.concatenate([part.right for part in parts]),
        np.concatenate([part.present for part in parts]),
        np.concatenate([part.groups for part in parts]),
    )


def _columns(
    right: NDArray[np.bool_], absent: bool, size: int | None, random: np.random.Generator
) -> NDArray[np.int64]:
    """(G,) -> the columns searched, ascending, so that equal scores stay in the index's order."""
    wrong = np.flatnonzero(~right)
    if size is None or size >= len(right):
        return wrong if absent else np.arange(len(right))
    if absent:
        return np.sort(random.choice(wrong, min(size, len(wrong)), replace=False))
    drawn = random.choice(wrong, min(size - 1, len(wrong)), replace=False)
    return np.sort(np.append(drawn, random.choice(np.flatnonzero(right))))
