"""A second sketch of each photo in a batch: the fused teacher trains on two sketches per photo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from models.arrays import Rows
from models.data.sampling.category_batches import Batch, CategoryPool

_STREAM = 1  # of random numbers; the batches use the one without


@dataclass(frozen=True)
class SecondSketches:
    """For each pair of a batch a second sketch of its photo; like the batch, a function of (seed, step) alone."""

    pools: Sequence[CategoryPool]
    seed: int

    def rows(self, batch: Batch, step: int) -> Rows:
        """(B,) rows of sketches: another of people's where there is one, else a synthetic one, else the same again."""
        rng = np.random.default_rng([self.seed, step, _STREAM])
        return np.array([self._other(*pair, rng) for pair in zip(batch.sketches, batch.photos, strict=True)], np.int64)

    def _other(self, sketch: int, photo: int, rng: np.random.Generator) -> int:
        for rows in self._sketches_of[photo]:
            if others := [row for row in rows if row != sketch]:
                return int(rng.choice(others))
        return int(sketch)

    @cached_property
    def _sketches_of(self) -> dict[int, tuple[tuple[int, ...], tuple[int, ...]]]:
        """People's sketches and synthetic ones by photo row."""
        return {
            photo: (pool.sketches[position], pool.synthetic[position])
            for pool in self.pools
            for position, photo in enumerate(pool.photos)
        }
