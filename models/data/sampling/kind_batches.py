"""Which drawings and photos of many kinds make a batch: they need not be pairs, only say what they show.

A batch is a function of (seed, step) alone, so a resumed run trains on what an uninterrupted one would have.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from models.arrays import Rows

_STREAM = 7  # of random numbers; the pairs' batches use the one without, second sketches another
_DOODLES_WEIGHT = 6.0  # of a set of doodles, relative to another set that has sketches of the same kind


@dataclass(frozen=True)
class KindRows:
    """Rows of the training images by kind, (set -> rows) each. Kinds are numbers from 0.

    `doodles`: the sets of doodles, whose kinds make most of a batch.
    """

    sketches: Mapping[int, Mapping[str, Sequence[int]]]
    photos: Mapping[int, Mapping[str, Sequence[int]]]
    doodles: frozenset[str]

    @classmethod
    def of(
        cls,
        sketches: Sequence[tuple[str, Sequence[int]]],
        photos: Sequence[tuple[str, Sequence[int]]],
        doodles: Collection[str],
    ) -> KindRows:
        """For each row of sketches and of photos: its set, and its kinds; a row without kinds is left out."""
        return cls(_by_kind(sketches), _by_kind(photos), frozenset(doodles))

    @cached_property
    def groups(self) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
        """Doodled kinds that have photos, doodled kinds that have none, other sketched kinds that have photos."""
        doodled = [kind for kind, sets in sorted(self.sketches.items()) if not self.doodles.isdisjoint(sets)]
        others = set(self.sketches) - set(doodled)
        return (
            tuple(kind for kind in doodled if kind in self.photos),
            tuple(kind for kind in doodled if kind not in self.photos),
            tuple(sorted(kind for kind in others if kind in self.photos)),
        )


@dataclass(frozen=True)
class KindBatch:
    """Rows of sketches and of photos, (N,) and (M,), and the kind of each."""

    sketches: Rows
    sketch_kinds: Rows
    photos: Rows
    photo_kinds: Rows

    def repeated(self, count: int) -> KindBatch:
        """The same with `count` sketches and `count` photos: the first ones again where there are fewer.

        None where there are none at all.
        """
        places = [np.arange(count if len(rows) else 0) % max(1, len(rows)) for rows in (self.sketches, self.photos)]
        return KindBatch(
            self.sketches[places[0]], self.sketch_kinds[places[0]], self.photos[places[1]], self.photo_kinds[places[1]]
        )


@dataclass(frozen=True)
class KindBatches:
    """Batches of `kinds` different kinds: `drawings` sketches of each, and one photo where the kind has any.

    Six in ten kinds are doodled ones that have photos, one in ten is a doodled kind without photos, three in ten are
    other kinds. `twice`: kinds that come twice as often among the first, such as those that a former run did not know.
    """

    rows: KindRows
    kinds: int
    drawings: int
    seed: int
    twice: frozenset[int] = frozenset()

    def batch(self, step: int) -> KindBatch:
        """The batch of that step; it is smaller where there are few kinds."""
        random = np.random.default_rng([self.seed, step, _STREAM])
        sketches: list[tuple[int, int]] = []
        photos: list[tuple[int, int]] = []
        for kind in self._kinds(random):
            for _ in range(self.drawings):
                sketches.append((self._sketches[kind].draw(random), kind))
            if kind in self._photos:
                photos.append((self._photos[kind].draw(random), kind))
        drawn, seen = np.array(sketches, np.int64).reshape(-1, 2), np.array(photos, np.int64).reshape(-1, 2)
        return KindBatch(drawn[:, 0], drawn[:, 1], seen[:, 0], seen[:, 1])

    def _kinds(self, random: np.random.Generator) -> list[int]:
        with_photos, drawn_only, others = self.rows.groups
        few = max(1, self.kinds // 10) if self.kinds else 0
        often = np.array([2.0 if kind in self.twice else 1.0 for kind in with_photos])
        shares = (
            (with_photos, max(0, self.kinds - 4 * few), often / max(1.0, often.sum())),
            (drawn_only, few, None),
            (others, 3 * few, None),
        )
        return [
            int(kind)
            for group, count, weights in shares
            for kind in random.choice(group, min(count, len(group)), replace=False, p=weights if len(group) else None)
        ]

    # Arrays of numbers, made once: a step draws hundreds of rows.
    @cached_property
    def _sketches(self) -> Mapping[int, _Choice]:
        weights = dict.fromkeys(self.rows.doodles, _DOODLES_WEIGHT)
        return {kind: _Choice.of(sets, weights) for kind, sets in self.rows.sketches.items()}

    @cached_property
    def _photos(self) -> Mapping[int, _Choice]:
        return {kind: _Choice.of(sets) for kind, sets in self.rows.photos.items()}


@dataclass(frozen=True)
class _Choice:
    """The rows of one kind by set. `shares`: how often each set is chosen; None: evenly."""

    rows: tuple[Rows, ...]
    shares: NDArray[np.float64] | None

    @classmethod
    def of(cls, sets: Mapping[str, Sequence[int]], weights: Mapping[str, float] | None = None) -> _Choice:
        names = sorted(sets)
        rows = tuple(np.array(sets[name], np.int64) for name in names)
        if weights is None:
            return cls(rows, None)
        each = np.array([weights.get(name, 1.0) for name in names])
        return cls(rows, each / each.sum())

    def draw(self, random: np.random.Generator) -> int:
        return int(random.choice(self.rows[random.choice(len(self.rows), p=self.shares)]))


def _by_kind(rows: Sequence[tuple[str, Sequence[int]]]) -> Mapping[int, Mapping[str, Sequence[int]]]:
    found: dict[int, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for row, (name, kinds) in enumerate(rows):
        for kind in kinds:
            found[kind][name].append(row)
    return {kind: dict(sets) for kind, sets in found.items()}
