"""The use case: a sketch in, the photos most like it out. Blocking; runs in worker threads."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from PIL import Image

from index_builder.artifact import GalleryIndex, PhotoFilter, parse_condition
from models.bundle import Bundle, Frame, mirrored
from service.errors import UnknownCategory, UnknownProfile
from service.search.adapter_cache import AdapterCache
from service.search.confidence import Judged, calibration_for, judged, widened
from service.search.gallery import Gallery, GalleryKeeper
from service.search.mirroring import MirroredSketch, mirror_scope
from service.search.query import SearchQuery, unknown_name
from service.search.results import RankedPhoto, SearchResult, Stopwatch
from service.sketches.decode import SketchDecoder
from service.sketches.sketch import Sketch
from service.store.online_store import OnlineStore


@dataclass(frozen=True)
class Retriever:
    """One bundle and one index version that belong together, and the online store beside them."""

    bundle: Bundle
    index: GalleryIndex
    decoder: SketchDecoder
    store: OnlineStore
    _keeper: GalleryKeeper = field(default_factory=lambda: GalleryKeeper(AdapterCache()), repr=False, compare=False)

    def gallery(self) -> Gallery:
        """Index, uploads and adapters as they are now. Take it once for each answer. Raises OnlineCorrupt."""
        return self._keeper.gallery(self.index, self.store, self.bundle.parts)

    def search(self, sketch: Sketch, query: SearchQuery) -> SearchResult:
        """The k photos most like the sketch.

        Raises ImageError (what the sketch can be wrong in), UnknownCategory, UnknownProfile, FilterInvalid.
        """
        stopwatch = Stopwatch()
        gallery = self.gallery()
        where = _filter(gallery, query)
        scope = mirror_scope(gallery.view, query, where)
        with stopwatch.stage("decode"):
            image = self.decode(sketch)
        with stopwatch.stage("preprocess"):
            tensor = self.bundle.sketch.prepare(image, query.frame)
        with stopwatch.stage("encode"):
            # On a CPU a batch of two takes twice as long, so the mirror image is encoded only where it is compared.
            batch = tensor[None] if scope is None else np.stack([tensor, mirrored(tensor)])
            vectors = self.bundle.sketch.encode(batch)
        with stopwatch.stage("search"):
            flipped = None if scope is None else MirroredSketch(vectors[1], scope)
            calibration = calibration_for(
                self.bundle.calibration, query, where, has_parts=self.bundle.parts is not None
            )
            scored = gallery.answer(vectors[0], widened(query, calibration), where, flipped)
            answered = judged(gallery, scored.hits, query, calibration)
            photos = _ranked(gallery, answered, scored.mirrored)
        return SearchResult(
            photos,
            self.bundle.bundle_id,
            self.index.version,
            stopwatch.timings(),
            scored.adapted,
            scored.adapter_id,
            scored.style_adapter_id,
            answered.no_good_match,
        )

    def check(self, query: SearchQuery) -> None:
        """Raises UnknownCategory, UnknownProfile, FilterInvalid when no sketch can be searched for with this query."""
        gallery = self.gallery()
        if where := _filter(gallery, query):
            # Only for what it raises: conditions are checked against the fields when they are applied.
            gallery.view.rows_where(where)

    def similar(self, photo_id: str, query: SearchQuery) -> SearchResult:
        """The k photos most like a photo of the gallery, itself left out; by plain cosine of photo embeddings.

        Raises PhotoNotFound, UnknownCategory, FilterInvalid.
        """
        stopwatch = Stopwatch()
        gallery = self.gallery()
        row = gallery.view.row(photo_id)
        where = _filter(gallery, query)
        with stopwatch.stage("search"):
            (vector,) = gallery.view.vectors(np.array([row]))
            # One more than is answered, since the photo itself is likely to be among them.
            hits = gallery.view.search(vector, query.k + 1, where, exact=query.exact, min_score=query.min_score)
            photos = _ranked(gallery, Judged([hit for hit in hits if hit.row != row][: query.k]))
        return SearchResult(photos, self.bundle.bundle_id, self.index.version, stopwatch.timings())

    def view(self, sketch: Sketch, frame: Frame = "auto") -> Image.Image:
        """The sketch as the encoder sees it: normalised, framed and sized. Raises ImageError."""
        return self.bundle.sketch.view(self.decode(sketch), frame)

    def decode(self, sketch: Sketch) -> Image.Image:
        """The sketch's pixels, within the service's limits. Raises ImageError, QueueFull (no decoder is free)."""
        return self.decoder.decode(sketch, self.bundle.sketch.preprocess)

    def close(self) -> None:
        """Close index and online store; call when no thread searches any more."""
        self.index.close()
        self.store.close()


def _filter(gallery: Gallery, query: SearchQuery) -> PhotoFilter | None:
    if query.profile is not None and query.profile not in gallery.state.profiles:
        raise UnknownProfile(unknown_name("profile", query.profile, sorted(gallery.state.profiles)))
    if not query.categories and not query.filters:
        return None
    known = gallery.view.categories()
    # Categories are stored in this form: a letter typed with a combining accent has to find the same one.
    categories = [unicodedata.normalize("NFC", category) for category in query.categories]
    for category in categories:
        if category not in known:
            raise UnknownCategory(unknown_name("category", category, list(known)))
    return PhotoFilter(frozenset(categories), tuple(parse_condition(text) for text in query.filters))


def _ranked(gallery: Gallery, answered: Judged, flipped: frozenset[int] = frozenset()) -> list[RankedPhoto]:
    photos = gallery.view.photos([hit.row for hit in answered.hits])
    confidences: Sequence[float | None] = answered.confidences or [None] * len(photos)
    return [
        RankedPhoto(photo, hit.score, rank, hit.row in flipped, confidence)
        for rank, (photo, hit, confidence) in enumerate(zip(photos, answered.hits, confidences, strict=True), 1)
    ]
