"""Everything that an answer is made of beside the sketch: photos and adapters as they were at one moment."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from index_builder.artifact import GalleryIndex, PhotoFilter, SearchHit
from models.adapters import CategoryAdapter, StyleAdapter
from models.arrays import Rows, Vectors
from models.bundle import EmbeddingParts, likeness
from service.search.adapter_cache import AdapterCache
from service.search.category_scorer import CategoryScorer
from service.search.gallery_view import GalleryView
from service.search.mirroring import MirroredSketch, better_of
from service.search.query import SearchQuery
from service.search.results import Adapted
from service.store.online_store import OnlineStore
from service.store.records import AdapterTarget
from service.store.state.online_state import OnlineState

# An approximate index proposes this many photos for each that a mirrored search answers: those that face both ways do
# not count, and an exact search of every other photo would take as long as one of the whole gallery.
_PROPOSED_PER_MIRRORED = 4
_PHOTOS_FOR_A_MEAN = 32_768  # more do not change it, and need not lie side by side: then they are copied

_ROWS_AT_ONCE = 1_024  # what is computed of them stays in the processor's cache


@dataclass(frozen=True)
class ScoredHits:
    """Hits, best first, and the adapters that they were scored through.

    `mirrored`: rows of the hits whose score is that of the mirrored drawing.
    """

    hits: list[SearchHit]
    adapted: Adapted = "none"
    adapter_id: str | None = None
    style_adapter_id: str | None = None
    mirrored: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Gallery:
    """The photos that can be found and the adapters that are active.

    `parts`: how embeddings are divided. Adapters work on the layout (E' numbers), since within a category the kind
    is the same for all; without parts they work on all of it (E' = E).
    """

    view: GalleryView
    state: OnlineState
    _cache: AdapterCache
    parts: EmbeddingParts | None = None

    def answer(
        self, vector: Vectors, query: SearchQuery, where: PhotoFilter | None, mirrored: MirroredSketch | None = None
    ) -> ScoredHits:
        """(E,) unit embedding of a sketch -> the k best; with `mirrored`, by the better of a photo's two scores."""
        upright = self._scored(vector, query, where)
        if mirrored is None:
            return upright
        flipped = self._scored(mirrored.vector, query, where, mirrored.scope.rows)
        hits, rows = better_of(upright.hits, flipped.hits, query.k)
        return replace(upright, hits=hits, mirrored=rows)

    def _scored(
        self, vector: Vectors, query: SearchQuery, where: PhotoFilter | None, among: Rows | None = None
    ) -> ScoredHits:
        """The k best photos that match, or of those `among` them. Of one category, photos go through its adapter.

        Without a category, with several, or with a focus on the kind, scores are plain cosines of the parts in focus;
        see `CategoryScorer.top_k` for the others.
        """
        own = query.own if query.adapt and query.profile is None else None
        if own is not None:
            style_adapter_id = own.active()
        else:
            target = AdapterTarget("profile", query.profile or "")
            style_adapter_id = self.state.active.get(target) if query.adapt else None
        if style_adapter_id is not None:
            read = self.view.store.adapter if own is None else own.adapter
            vector = self._in_style(self._style_adapter(style_adapter_id, read), vector)
        if where is None or len(where.categories) != 1 or query.focus in ("kind", "balanced"):
            if self.parts is not None and query.focus is not None:
                vector = self.parts.focused(vector, query.focus)
            hits = self._plainly_scored(vector, query, where, among)
            return ScoredHits(hits, style_adapter_id=style_adapter_id)
        (category,) = where.categories  # which faces one way as a whole or not: `among` would leave none of it out
        scorer = self.scorer(category, fitted=query.adapt)
        # Without conditions and words it is the whole category, whose rows the scorer has.
        within = self.view.rows_where(where) if where.looks_closer else None
        scores, rows = scorer.top_k(self.adaptable(vector[None])[0], query.k, self.products, within)
        hits = [
            SearchHit(row, score)
            for row, score in zip(rows.tolist(), scores.tolist(), strict=True)
            if query.min_score is None or score >= query.min_score
        ]
        return ScoredHits(hits, "adapter" if scorer.adapter_id else "centred", scorer.adapter_id, style_adapter_id)

    def _plainly_scored(
        self, vector: Vectors, query: SearchQuery, where: PhotoFilter | None, among: Rows | None
    ) -> list[SearchHit]:
        if among is None:
            return self.view.search(vector, query.k, where, exact=query.exact, min_score=query.min_score)
        if where or query.exact or self.view.index.manifest.is_exact:
            return self.view.search_rows(vector, query.k, among, exact=query.exact, min_score=query.min_score)
        proposed = self.view.search(
            vector, query.k * _PROPOSED_PER_MIRRORED, None, exact=False, min_score=query.min_score
        )
        faces_one_way = np.isin([hit.row for hit in proposed], among)
        return [hit for hit, kept in zip(proposed, faces_one_way.tolist(), strict=True) if kept][: query.k]

    @property
    def adapted_dim(self) -> int:
        """E', the length of what adapters work on."""
        return self.view.index.embedding_dim if self.parts is None else self.parts.layout_dim

    def adaptable(self, embeddings: Vectors) -> Vectors:
        """(N, E) embeddings -> (N, E'), what adapters work on, rows of length 1."""
        return embeddings if self.parts is None else self.parts.layout_of(embeddings)

    def vectors(self, rows: Rows) -> Vectors:
        """(R,) ascending rows -> (R, E'), what adapters work on; not to be written into."""
        return self.adaptable(self.view.vectors(rows))

    def blocks(self, rows: Rows) -> Iterator[Vectors]:
        """(R,) ascending rows -> what adapters work on (n, E'), piece by piece."""
        for block in self.view.blocks(rows):
            for start in range(0, len(block), _ROWS_AT_ONCE):
                yield self.adaptable(block[start : start + _ROWS_AT_ONCE])

    def products(self, weights: Vectors, rows: Rows) -> Vectors:
        """(E',), (R,) ascending rows -> (R,) inner products with what adapters work on."""
        return self.view.products(weights if self.parts is None else self.parts.over_layout(weights), rows)

    def blocks_of_products(self, weights: Vectors, rows: Rows) -> Iterator[Vectors]:
        """(Q, E'), (R,) ascending rows -> (Q, n), piece by piece: inner products with what adapters work on.

        Every photo is read once for all, where `products` reads them for each; the last bit is a matrix product's.
        """
        whole = weights if self.parts is None else np.stack([self.parts.over_layout(each) for each in weights])
        return (whole @ block.T for block in self.view.blocks(rows))

    def likeness(self, hits: Sequence[SearchHit]) -> float:
        """How alike the hits' photos are to the first one's, by kind where embeddings have parts."""
        # Vectors are read in ascending order of their rows; what is compared of them is put into the order of the hits.
        rows = [hit.row for hit in hits]
        ascending = sorted(rows)
        embeddings = self.view.vectors(np.array(ascending, np.int64))
        kinds = embeddings if self.parts is None else self.parts.kind_of(embeddings)
        return likeness(kinds[[ascending.index(row) for row in rows]])

    def category_rows(self, category: str) -> Rows:
        """Ascending rows of a category's photos; none for a category that is not there (yet)."""
        if category not in self.view.categories():
            return np.empty(0, np.int64)
        return self.view.rows_where(PhotoFilter(frozenset([category])))

    def scorer(self, category: str, *, fitted: bool) -> CategoryScorer:
        """What scores the photos of a category: with `fitted` its active adapter if it has one, else mean-centred."""
        adapter_id = self.state.active.get(AdapterTarget("category", category)) if fitted else None

        def make() -> CategoryScorer:
            rows = self.category_rows(category)
            adapter = self.view.store.adapter(adapter_id) if adapter_id else None
            # One that was deleted since the state was read is no reason to fail: mean-centred scores will do.
            if isinstance(adapter, CategoryAdapter):
                return CategoryScorer.of(adapter, adapter_id, rows, self.blocks)
            centred = CategoryAdapter.centred(self.vectors(evenly(rows, _PHOTOS_FOR_A_MEAN)))
            return CategoryScorer.of(centred, None, rows, self.blocks)

        # An adapter of this category, or a photo in it, makes another key; what happens to other categories does not.
        return self._cache.get((category, adapter_id, self.view.content_of(category)), make)

    def _in_style(self, adapter: StyleAdapter, vector: Vectors) -> Vectors:
        """(E,) -> (E,) with the style removed from what adapters work on."""
        (moved,) = adapter.embed_sketches(self.adaptable(vector[None]))
        return moved if self.parts is None else self.parts.with_layout(vector, moved)

    def _style_adapter(self, adapter_id: str, read: Callable[[str], object]) -> StyleAdapter:
        def make() -> StyleAdapter:
            adapter = read(adapter_id)
            # Deleted since the state was read: the sketch is searched for as it is.
            return adapter if isinstance(adapter, StyleAdapter) else StyleAdapter.neutral(self.adapted_dim)

        return self._cache.get(("profile", adapter_id), make)


class GalleryKeeper:
    """The gallery of this moment, made anew only after a change of the online store. Thread-safe; of one index version.

    A change of adapters keeps the view; a photo that comes or goes makes another.
    """

    def __init__(self, cache: AdapterCache) -> None:
        """`cache`: of the same index version, shared by all its galleries."""
        self._cache = cache
        self._gallery: Gallery | None = None

    def gallery(self, index: GalleryIndex, store: OnlineStore, parts: EmbeddingParts | None = None) -> Gallery:
        """The index with the uploads and adapters of the store as it is now. Raises OnlineCorrupt."""
        state = store.state()
        kept = self._gallery
        # The store returns the same state until something changes, so no lock is needed to see that nothing did.
        if kept is not None and kept.state is state:
            return kept
        with self._cache.turn("gallery"):
            kept = self._gallery
            if kept is None or _moment(kept.state) != _moment(state):
                view = GalleryView.of(index, store, state.changes, kept.view if kept else None)
            else:
                view = kept.view
            self._gallery = Gallery(view, state, self._cache, parts)
            return self._gallery


def evenly(rows: Rows, most: int) -> Rows:
    """At most `most` of the rows, evenly spaced."""
    # The step is rounded up: rounded down, more than `most` would be left.
    return rows[:: max(1, -(-len(rows) // most))]


def _moment(state: OnlineState) -> tuple[int, int]:
    return state.changes.generation, state.changes.change
