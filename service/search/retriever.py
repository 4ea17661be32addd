"""The use case: a sketch in, the photos most like it out. Blocking; runs in worker threads."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from PIL import Image

from index_builder.artifact import GalleryIndex, PhotoFilter, SearchHit
from models.arrays import Vectors
from models.bundle import Bundle, Purpose, mirrored
from service.errors import UnknownProfile
from service.search.adapter_cache import AdapterCache
from service.search.gallery import Gallery, GalleryKeeper, ScoredHits
from service.search.gallery_view import GalleryView
from service.search.mirroring import MirroredSketch, MirrorScope, mirror_scope
from service.search.paging import Page, digest_of
from service.search.query import SearchQuery, deepened, named_profiles, unknown_name
from service.search.results import RankedPhoto, SearchResult, Stopwatch
from service.search.scoring.confidence import Judged, calibration_for, judged, widened
from service.search.scoring.grouping import Groups, ranked_in_groups
from service.search.scoring.narrowing import photo_filter
from service.search.vectors import SketchVectors
from service.sketches.decode import SketchDecoder
from service.sketches.sketch import Sketch
from service.store.online_store import OnlineStore
from service.tracing.stages import stage

_AT_HAND_PHOTOS = 100_000
_NOTHING = np.empty((0, 0, 0, 0), np.float32)  # to be encoded
_AT_HAND_CHANGES = 5_000  # by then they are sealed; of more, each takes milliseconds to be followed


@dataclass(frozen=True, slots=True)
class BegunSearch:
    """A search up to what is to be encoded: `inputs` (n, 3, H, W), the sketch and maybe its mirror image.

    Without `inputs` where the client has encoded the sketch.
    """

    query: SearchQuery
    page: Page
    gallery: Gallery
    where: PhotoFilter | None
    scope: MirrorScope | None
    stopwatch: Stopwatch
    inputs: Vectors


@dataclass(frozen=True)
class Retriever:
    """One bundle and one index version that belong together, and the online store beside them."""

    bundle: Bundle
    index: GalleryIndex
    decoder: SketchDecoder
    store: OnlineStore
    _keeper: GalleryKeeper = field(default_factory=lambda: GalleryKeeper(AdapterCache()), repr=False, compare=False)

    @property
    def is_at_hand(self) -> bool:
        """Whether a search reads memory alone: not a Milvus, nor a file so large that parts of it lie on the disk."""
        manifest = self.index.manifest
        return (
            manifest.collection is None
            and manifest.count <= _AT_HAND_PHOTOS
            and self.store.change_count <= _AT_HAND_CHANGES
        )

    def gallery(self) -> Gallery:
        """Index, uploads and adapters as they are now. Take it once for each answer. Raises OnlineCorrupt."""
        return self._keeper.gallery(self.index, self.store, self.bundle.parts)

    def search(self, sketch: Sketch, query: SearchQuery) -> SearchResult:
        """The k photos most like the sketch, or those behind the query's cursor.

        Raises ImageError (what the sketch can be wrong in), UnknownCategory, UnknownProfile, FilterInvalid,
        CursorInvalid, CursorStale.
        """
        begun = self.begin(sketch, query)
        started = time.perf_counter()
        vectors = self.bundle.sketch.encode(begun.inputs)
        return self.finish(begun, vectors, (time.perf_counter() - started) * 1000)

    def begin(self, sketch: Sketch, query: SearchQuery) -> BegunSearch:
        """A search up to what is to be encoded; raises as `search`."""
        begun = self._begun(query, sketch.content)
        stopwatch = begun.stopwatch
        with stopwatch.stage("decode"):
            image = self.decode(sketch)
        with stopwatch.stage("preprocess"):
            tensor = self.bundle.sketch.prepare(image, self.purpose(query))
            # On a CPU a batch of two takes twice as long, so the mirror image is encoded only where it is compared.
            inputs = tensor[None] if begun.scope is None else np.stack([tensor, mirrored(tensor)])
        return replace(begun, inputs=inputs)

    def search_vectors(self, sent: SketchVectors, query: SearchQuery) -> SearchResult:
        """The same by what a client has encoded; the mirror image counts where it was sent.

        Raises EncoderDiffers, VectorInvalid, and as `search` what a query can be wrong in.
        """
        vectors = sent.checked(self.bundle.bundle_id, self.bundle.embedding_dim, query.mirror)
        return self.finish(self._begun(query, sent.content), vectors, None)

    def _begun(self, query: SearchQuery, content: tuple[object, ...]) -> BegunSearch:
        stopwatch = Stopwatch()
        if query.own is not None and query.own.bundle_id != self.bundle.bundle_id:
            query = replace(query, own=None)  # what moves the sketches of other encoders means nothing here
        gallery = self.gallery()
        where = _filter(gallery, query)
        page = Page.of(query.k, query.cursor, query.digest(content))
        query = deepened(query, page)
        scope = mirror_scope(gallery.view, query, where)
        return BegunSearch(query, page, gallery, where, scope, stopwatch, _NOTHING)

    def finish(self, begun: BegunSearch, vectors: Vectors, encode_ms: float | None) -> SearchResult:
        """The embeddings (n, E) of a search's inputs, and how long the call took (None: there was none) -> its result.

        A sketch without its mirror image is compared as it was drawn.
        """
        query, where, gallery, stopwatch = begun.query, begun.where, begun.gallery, begun.stopwatch
        if encode_ms is not None:
            stopwatch.add("encode", encode_ms)
        with stopwatch.stage("search"):
            flipped = MirroredSketch(vectors[1], begun.scope) if begun.scope and len(vectors) > 1 else None
            calibration = calibration_for(
                self.bundle.calibration, query, where, has_parts=self.bundle.parts is not None
            )

            def rank(query: SearchQuery) -> tuple[Judged, ScoredHits]:
                scored = gallery.answer(vectors[0], widened(query, calibration), where, flipped)
                return judged(gallery, scored.hits, query, calibration), scored

            answered, groups, scored = ranked_in_groups(gallery.view, query, begun.page, rank)
            with stage("records"):
                photos = _ranked(
                    gallery, answered, groups, begun.page, grouped=query.group_duplicates, flipped=scored.mirrored
                )
            state = digest_of(gallery.view.state, scored.adapter_id, scored.style_adapter_id)
        return SearchResult(
            photos,
            self.bundle.bundle_id,
            self.index.version,
            stopwatch.timings(),
            scored.adapted,
            scored.adapter_id,
            scored.style_adapter_id,
            answered.no_good_match,
            _next_cursor(begun.page, photos, state, gallery.view, proposed=not (where or query.exact)),
        )

    def check(self, query: SearchQuery) -> None:
        """Raises UnknownCategory, UnknownProfile, FilterInvalid when no sketch can be searched for with this query."""
        gallery = self.gallery()
        if where := _filter(gallery, query):
            # Only for what it raises: conditions are checked against the fields when they are applied.
            gallery.view.rows_where(where)

    def similar(self, photo_id: str, query: SearchQuery) -> SearchResult:
        """The k photos most like a photo of the gallery, itself left out; by plain cosine of photo embeddings.

        Raises PhotoNotFound, UnknownCategory, FilterInvalid, CursorInvalid, CursorStale.
        """
        stopwatch = Stopwatch()
        gallery = self.gallery()
        row = gallery.view.row(photo_id)
        where = _filter(gallery, query)
        page = Page.of(query.k, query.cursor, query.digest(("similar", gallery.view.key_of(row))))
        query = deepened(query, page)
        with stopwatch.stage("search"):
            (vector,) = gallery.view.vectors(np.array([row]))

            def rank(query: SearchQuery) -> tuple[Judged, None]:
                # One more than is answered, since the photo itself is likely to be among them.
                hits = gallery.view.search(vector, query.k + 1, where, exact=query.exact, min_score=query.min_score)
                return Judged([hit for hit in hits if hit.row != row][: query.k]), None

            answered, groups, _ = ranked_in_groups(gallery.view, query, page, rank)
            photos = _ranked(gallery, answered, groups, page, grouped=query.group_duplicates)
        cursor = _next_cursor(page, photos, gallery.view.state, gallery.view, proposed=not (where or query.exact))
        timings = stopwatch.timings()
        return SearchResult(photos, self.bundle.bundle_id, self.index.version, timings, next_cursor=cursor)

    def purpose(self, query: SearchQuery) -> Purpose:
        """What such a search prepares its sketch for."""
        return query.purpose(self.index.manifest.alone)

    def view(self, sketch: Sketch, query: SearchQuery) -> Image.Image:
        """The sketch as the encoder sees it in such a search: normalised, framed and sized. Raises ImageError."""
        return self.bundle.sketch.view(self.decode(sketch), self.purpose(query))

    def decode(self, sketch: Sketch) -> Image.Image:
        """The sketch's pixels, within the service's limits. Raises ImageError, QueueFull (no decoder is free)."""
        return self.decoder.decode(sketch, self.bundle.sketch.preprocess)

    def close(self) -> None:
        """Close index and online store; call when no thread searches any more."""
        self.index.close()
        self.store.close()


def _filter(gallery: Gallery, query: SearchQuery) -> PhotoFilter | None:
    if query.profile is not None and query.profile not in gallery.state.profiles:
        raise UnknownProfile(unknown_name("profile", query.profile, named_profiles(gallery.state.profiles)))
    return photo_filter(gallery.view, query.categories, query.filters, query.text)


def _ranked(
    gallery: Gallery,
    answered: Judged,
    groups: Groups,
    page: Page,
    *,
    grouped: bool,
    flipped: frozenset[int] = frozenset(),
) -> list[RankedPhoto]:
    """The photos of the page, of the best hits up to its end, each with those of its group where they are grouped."""
    hits, confidences = answered.hits, answered.confidences
    if page.is_first and not grouped:  # each hit is a group, and there is no page before
        records = gallery.view.photos([hit.row for hit in hits[: page.k]])
        return [
            RankedPhoto(
                photo, hit.score, rank, hit.row in flipped, None if confidences is None else confidences[rank - 1]
            )
            for rank, (photo, hit) in enumerate(zip(records, hits, strict=False), 1)
        ]
    leaders = [hits[group[0]] for group in groups]
    keys = leaders if page.is_first else [SearchHit(gallery.view.key_of(hit.row), hit.score) for hit in leaders]
    on_page = [groups[number] for number in page.positions(keys)]
    rows = [hits[position].row for group in on_page for position in group]
    by_row = dict(zip(rows, gallery.view.photos(rows), strict=True))
    return [
        RankedPhoto(
            by_row[hits[leader].row],
            hits[leader].score,
            rank,
            hits[leader].row in flipped,
            None if confidences is None else confidences[leader],
            tuple((by_row[hits[n].row], hits[n].score) for n in others) if grouped else None,
        )
        for rank, (leader, *others) in enumerate(on_page, page.before + 1)
    ]


def _next_cursor(
    page: Page, photos: Sequence[RankedPhoto], state: str, view: GalleryView, *, proposed: bool
) -> str | None:
    proposed = proposed and not view.index.manifest.search.is_exact
    # Of an exact ranking, a page is named by how many photos come before it.
    keys = [view.key_of(ranked.photo.row) if proposed else ranked.photo.row for ranked in photos]
    return page.next_cursor(keys, state, view.count, proposed=proposed)
