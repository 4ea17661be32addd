"""Which pairs make a batch: a few categories, many photos of each, so that negatives are hard.

A batch is a function of (seed, step) alone, so a resumed run trains on what an uninterrupted one would have.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.arrays import Rows


@dataclass(frozen=True)
class CategoryPool:
    """The photos of one category that may be trained on. Numbers are rows of the training images.

    `weight`: how often the category is chosen, relative to others. `photos`: (N,) rows of photos. `sketches`: for each
    photo the rows of its sketches drawn by people; `synthetic`: likewise of the line drawings made from it. A photo has
    at least one of the two.
    """

    name: str
    weight: float
    photos: tuple[int, ...]
    sketches: tuple[tuple[int, ...], ...]
    synthetic: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Batch:
    """Three arrays (B,); row i of each belongs to pair i. `photos` repeats no row. `groups`: its category, from 0."""

    sketches: Rows
    photos: Rows
    groups: Rows


@dataclass(frozen=True)
class CategoryBatches:
    """Batches of `groups` categories with `batch_size / groups` different photos of each.

    `drawn_share`: part of a group for which photos with people's sketches are preferred; the rest comes from the other
    photos where there are any. `synthetic_share`: how often a photo that has both gets its synthetic drawing.
    """

    pools: Sequence[CategoryPool]
    batch_size: int
    groups: int
    drawn_share: float
    synthetic_share: float
    seed: int

    def batch(self, step: int) -> Batch:
        """The batch of that step; may be smaller than `batch_size` where a category has few photos."""
        # A generator per step has no state that a checkpoint would need to keep.
        rng = np.random.default_rng([self.seed, step])
        weights = np.array([pool.weight for pool in self.pools])
        chosen = rng.choice(len(self.pools), size=self.groups, p=weights / weights.sum())
        sketches: list[int] = []
        photos: list[int] = []
        groups: list[int] = []
        # A category drawn twice forms one group of twice the size: no photo may come twice.
        for group, (number, times) in enumerate(zip(*np.unique(chosen, return_counts=True), strict=True)):
            pool = self.pools[number]
            for position in self._positions(pool, int(times) * self.batch_size // self.groups, rng):
                photos.append(pool.photos[position])
                sketches.append(self._sketch(pool, position, rng))
                groups.append(group)
        return Batch(*(np.array(rows, dtype=np.int64) for rows in (sketches, photos, groups)))

    def _positions(self, pool: CategoryPool, count: int, rng: np.random.Generator) -> list[int]:
        """At most `count` positions in the pool, without repetition: drawn photos first, then the others."""
        drawn = rng.permutation([i for i, rows in enumerate(pool.sketches) if rows])
        other = rng.permutation([i for i, rows in enumerate(pool.sketches) if not rows])
        # Where the other photos do not fill the rest of the group, more drawn ones do.
        first = min(len(drawn), max(round(self.drawn_share * count), count - len(other)))
        return [int(i) for i in (*drawn[:first], *other[: count - first])]

    def _sketch(self, pool: CategoryPool, position: int, rng: np.random.Generator) -> int:
        human, synthetic = pool.sketches[position], pool.synthetic[position]
        rows = synthetic if synthetic and (not human or rng.random() < self.synthetic_share) else human
        return int(rng.choice(rows))
