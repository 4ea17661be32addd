"""What a search answers, as values; and the stopwatch that times its stages."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
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

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time the block, under `name`; a block that raises is not recorded."""
        entered = time.perf_counter()
        yield
        left = time.perf_counter()
        self.stages_ms[name] = (left - entered) * 1000
        report(name, entered, left)

    def add(self, name: str, milliseconds: float) -> None:
        """A stage that is just over and was timed elsewhere."""
        self.stages_ms[name] = milliseconds
        left = time.perf_counter()
        report(name, left - milliseconds / 1000, left)

    def timings(self) -> dict[str, float]:
        """Milliseconds of every stage, and of everything so far as `total`."""
        return {**self.stages_ms, "total": (time.perf_counter() - self._started) * 1000}
