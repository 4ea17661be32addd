"""The use case: a drawing in, the photos most like it out. Blocking; runs in worker threads."""

from __future__ import annotations

import difflib
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
from PIL import Image

from index_builder.artifact import GalleryIndex, PhotoFilter, PhotoRecord, parse_condition
from models.bundle import Bundle, ImageLimits, StrokeLimits
from service.errors import UnknownCategory
from service.retrieval.body import Source
from service.retrieval.decode import decode_sketch


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """What is asked beside the sketch. `filters`: conditions as text, all of which must hold."""

    k: int = 10
    categories: tuple[str, ...] = ()
    filters: tuple[str, ...] = ()
    min_score: float | None = None
    exact: bool = False


@dataclass(frozen=True, slots=True)
class RankedPhoto:
    """A photo found: cosine with the query in [-1, 1], rank from 1."""

    photo: PhotoRecord
    score: float
    rank: int


@dataclass(frozen=True)
class Found:
    """An answer, and which models and photos it came from."""

    photos: list[RankedPhoto]
    bundle_id: str
    index_version: str
    timings_ms: dict[str, float]


@dataclass
class Stopwatch:
    """Milliseconds by stage, and since it was made."""

    stages_ms: dict[str, float] = field(default_factory=dict)
    _started: float = field(default_factory=time.perf_counter)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time what happens inside, under `name`."""
        entered = time.perf_counter()
        yield
        self.stages_ms[name] = (time.perf_counter() - entered) * 1000

    def timings(self) -> dict[str, float]:
        """Every stage and `total`."""
        return {**self.stages_ms, "total": (time.perf_counter() - self._started) * 1000}


@dataclass(frozen=True)
class Retriever:
    """One bundle and one index version that belong together."""

    bundle: Bundle
    index: GalleryIndex
    image_limits: ImageLimits
    stroke_limits: StrokeLimits

    def search(self, read: Callable[[], Source], query: SearchQuery) -> Found:
        """The k photos most like the sketch that `read` gives.

        Raises ImageError (what the sketch can be wrong in), UnknownCategory, FilterInvalid, and what `read` raises.
        """
        watch = Stopwatch()
        where = self._filter(query)
        with watch.stage("decode"):
            image = self.decode(read())
        with watch.stage("preprocess"):
            tensor = self.bundle.sketch.prepare(image)
        with watch.stage("encode"):
            vectors = self.bundle.sketch.encode(tensor[None])
        with watch.stage("search"):
            hits = self.index.search(vectors, query.k, where=where, exact=query.exact, min_score=query.min_score)[0]
            photos = self._ranked([(hit.row, hit.score) for hit in hits])
        return Found(photos, self.bundle.bundle_id, self.index.version, watch.timings())

    def check(self, query: SearchQuery) -> None:
        """Raises UnknownCategory, FilterInvalid when no sketch could be searched for with this query."""
        if where := self._filter(query):
            self.index.rows_where(where)

    def similar(self, photo_id: str, query: SearchQuery) -> Found:
        """The k photos most like a photo of the gallery, itself left out.

        Raises PhotoNotFound, UnknownCategory, FilterInvalid.
        """
        watch = Stopwatch()
        row = self.index.photo(photo_id).row
        where = self._filter(query)
        with watch.stage("search"):
            vector = np.asarray(self.index.vector(row))[None]
            hits = self.index.search(vector, query.k + 1, where=where, exact=query.exact, min_score=query.min_score)[0]
            photos = self._ranked([(hit.row, hit.score) for hit in hits if hit.row != row][: query.k])
        return Found(photos, self.bundle.bundle_id, self.index.version, watch.timings())

    def view(self, source: Source) -> Image.Image:
        """The sketch as the model sees it. Raises ImageError."""
        return self.bundle.sketch.view(self.decode(source))

    def decode(self, source: Source) -> Image.Image:
        """The sketch's pixels. Raises ImageError."""
        return decode_sketch(source, self.image_limits, self.stroke_limits)

    def _filter(self, query: SearchQuery) -> PhotoFilter | None:
        if not query.categories and not query.filters:
            return None
        known = {name for name, _ in self.index.categories()} if query.categories else set()
        for category in query.categories:
            if category not in known:
                raise UnknownCategory(_unknown_category(category, sorted(known)))
        return PhotoFilter(frozenset(query.categories), tuple(parse_condition(text) for text in query.filters))

    def _ranked(self, hits: Sequence[tuple[int, float]]) -> list[RankedPhoto]:
        photos = self.index.photos([row for row, _ in hits])
        return [
            RankedPhoto(photo, score, rank)
            for rank, (photo, (_, score)) in enumerate(zip(photos, hits, strict=True), 1)
        ]


def _unknown_category(category: str, known: Sequence[str]) -> str:
    by_fold = {name.casefold(): name for name in known}
    close = [by_fold[fold] for fold in difflib.get_close_matches(category.casefold(), by_fold, n=3, cutoff=0.5)]
    hint = f"close ones are {', '.join(close)}" if close else f"there are {len(known)}, such as {', '.join(known[:3])}"
    return f"the index has no category {category!r}; {hint if known else 'its photos have none'}"
