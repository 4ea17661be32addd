"""The use case: a drawing in, the photos most like it out. Blocking; runs in worker threads."""

from __future__ import annotations

import difflib
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
from PIL import Image

from index_builder.artifact import GalleryIndex, PhotoFilter, PhotoRecord, SearchHit, parse_condition
from models.bundle import Bundle, ImageLimits, StrokeLimits
from service.errors import UnknownCategory, UnknownProfile
from service.http.body import Source
from service.search.decode import decode_sketch
from service.search.gallery import Adapted, Gallery, Memory
from service.search.query import SearchQuery
from service.store.online_store import OnlineRoom


@dataclass(frozen=True, slots=True)
class RankedPhoto:
    """A photo found: cosine with the query in [-1, 1], rank from 1."""

    photo: PhotoRecord
    score: float
    rank: int


@dataclass(frozen=True)
class Found:
    """An answer, and which models and photos it came from.

    `adapted`: how photos were compared: through a fitted adapter, mean-centred, or by plain cosine.
    """

    photos: list[RankedPhoto]
    bundle_id: str
    index_version: str
    timings_ms: dict[str, float]
    adapted: Adapted = "none"
    adapter_id: str | None = None
    style_adapter_id: str | None = None


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
    """One bundle and one index version that belong together, and the online room beside them."""

    bundle: Bundle
    index: GalleryIndex
    image_limits: ImageLimits
    stroke_limits: StrokeLimits
    room: OnlineRoom
    _memory: Memory = field(default_factory=Memory, repr=False, compare=False)

    def gallery(self) -> Gallery:
        """Index, uploads and adapters as they are now. Take it once for each answer. Raises OnlineCorrupt."""
        return self._memory.gallery(self.index, self.room)

    def search(self, read: Callable[[], Source], query: SearchQuery) -> Found:
        """The k photos most like the sketch that `read` gives.

        Raises ImageError (what the sketch can be wrong in), UnknownCategory, UnknownProfile, FilterInvalid, and what
        `read` raises.
        """
        watch = Stopwatch()
        gallery = self.gallery()
        where = _filter(gallery, query)
        with watch.stage("decode"):
            image = self.decode(read())
        with watch.stage("preprocess"):
            tensor = self.bundle.sketch.prepare(image)
        with watch.stage("encode"):
            vector = self.bundle.sketch.encode(tensor[None])[0]
        with watch.stage("search"):
            answer = gallery.answer(vector, query, where)
            photos = _ranked(gallery, answer.hits)
        return Found(
            photos,
            self.bundle.bundle_id,
            self.index.version,
            watch.timings(),
            answer.adapted,
            answer.adapter_id,
            answer.style_adapter_id,
        )

    def check(self, query: SearchQuery) -> None:
        """Raises UnknownCategory, UnknownProfile, FilterInvalid when no sketch can be searched for with this query."""
        gallery = self.gallery()
        if where := _filter(gallery, query):
            gallery.view.rows_where(where)

    def similar(self, photo_id: str, query: SearchQuery) -> Found:
        """The k photos most like a photo of the gallery, itself left out; compared plainly, photo with photo.

        Raises PhotoNotFound, UnknownCategory, FilterInvalid.
        """
        watch = Stopwatch()
        gallery = self.gallery()
        row = gallery.view.row(photo_id)
        where = _filter(gallery, query)
        with watch.stage("search"):
            (vector,) = gallery.view.vectors(np.array([row]))
            hits = gallery.view.search(vector, query.k + 1, where, exact=query.exact, min_score=query.min_score)
            photos = _ranked(gallery, [hit for hit in hits if hit.row != row][: query.k])
        return Found(photos, self.bundle.bundle_id, self.index.version, watch.timings())

    def view(self, source: Source) -> Image.Image:
        """The sketch as the model sees it. Raises ImageError."""
        return self.bundle.sketch.view(self.decode(source))

    def decode(self, source: Source) -> Image.Image:
        """The sketch's pixels. Raises ImageError."""
        return decode_sketch(source, self.image_limits, self.stroke_limits)

    def close(self) -> None:
        """Close index and online room; call when no thread searches any more."""
        self.index.close()
        self.room.close()


def _filter(gallery: Gallery, query: SearchQuery) -> PhotoFilter | None:
    if query.profile is not None and query.profile not in gallery.state.profiles:
        raise UnknownProfile(unknown_name("profile", query.profile, sorted(gallery.state.profiles)))
    if not query.categories and not query.filters:
        return None
    known = gallery.view.categories()
    for category in query.categories:
        if category not in known:
            raise UnknownCategory(unknown_name("category", category, list(known)))
    return PhotoFilter(frozenset(query.categories), tuple(parse_condition(text) for text in query.filters))


def _ranked(gallery: Gallery, hits: Sequence[SearchHit]) -> list[RankedPhoto]:
    photos = gallery.view.photos([hit.row for hit in hits])
    return [RankedPhoto(photo, hit.score, rank) for rank, (photo, hit) in enumerate(zip(photos, hits, strict=True), 1)]


def unknown_name(kind: str, name: str, known: Sequence[str]) -> str:
    """What to say of a name that is not known: the close ones, or some of those there are."""
    by_fold = {other.casefold(): other for other in known}
    close = [by_fold[fold] for fold in difflib.get_close_matches(name.casefold(), by_fold, n=3, cutoff=0.5)]
    hint = f"close ones are {', '.join(close)}" if close else f"there are {len(known)}, such as {', '.join(known[:3])}"
    return f"there is no {kind} {name!r}; {hint if known else 'there are none'}"
