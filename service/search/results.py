"""What a search answers, as values; and the stopwatch that times its stages."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from index_builder.artifact import PhotoRecord
from service.tracing.stages import report

Adapted = Literal["adapter", "centred", "none"]


class RankedPhoto(NamedTuple):
    """A photo of the answer: its score in [-1, 1], its rank from 1.

    `mirrored`: the mirrored drawing got that score. `confidence`: the probability that it is right; None: not known.
    `duplicates`: photos that look the same, best first, with their scores; None where they were not grouped.
    """

    photo: PhotoRecord
    score: float
    rank: int
    mirrored: bool = False
    confidence: float | None = None
    duplicates: tuple[tuple[PhotoRecord, float], ...] | None = None


@dataclass(frozen=True)
class SearchResult:
    """The ranked photos, best first, and which bundle, index and adapters they come from.

    `adapted`: how photos were compared: through the category's adapter, mean-centred, or by plain cosine.
    `adapter_id`, `style_adapter_id`: the adapters that were applied. `timings_ms`: by stage, and `total`.
    `no_good_match`: whether probably no photo is right; None where the bundle has no calibration for such a search.
    `next_cursor`: of the next page; None where none can follow.
    """

    photos: list[RankedPhoto]
    bundle_id: str
    index_version: str
    timings_ms: dict[str, float]
    adapted: Adapted = "none"
    adapter_id: str | None = None
    style_adapter_id: str | None = None
    no_good_match: bool | None = None
    next_cursor: str | None = None


@dataclass
class Stopwatch:
    """Milliseconds by stage, and since it was made."""

    stages_ms: dict[str, float] = field(default_factory=dict)
    _started: float = field(default_factory=time.perf_counter)

    def stage(self, name: str) -> _Stage:
        """Time the block, under `name`; a block that raises is not recorded."""
        return _Stage(self, name)

    def add(self, name: str, milliseconds: float) -> None:
        """A stage that is just over and was timed elsewhere."""
        self.stages_ms[name] = milliseconds
        left = time.perf_counter()
        report(name, left - milliseconds / 1000, left)

    def timings(self) -> dict[str, float]:
        """Milliseconds of every stage, and of everything so far as `total`."""
        return {**self.stages_ms, "total": (time.perf_counter() - self._started) * 1000}


class _Stage:
    """A block that is timed. A generator in its place takes three times as long."""

    __slots__ = ("_entered", "_name", "_stopwatch")

    def __init__(self, stopwatch: Stopwatch, name: str) -> None:
        self._stopwatch, self._name = stopwatch, name

    def __enter__(self) -> None:
        self._entered = time.perf_counter()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            left = time.perf_counter()
            self._stopwatch.stages_ms[self._name] = (left - self._entered) * 1000
            report(self._name, self._entered, left)
