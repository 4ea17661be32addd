"""Everything that an answer is made of beside the sketch: photos and adapters as they were at one moment."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import numpy as np

from index_builder.artifact import GalleryIndex, PhotoFilter, SearchHit
from models.adapters import CategoryAdapter, StyleAdapter
from models.arrays import Rows, Vectors
from service.search.category_scorer import CategoryScorer
from service.search.gallery_view import GalleryView
from service.search.query import SearchQuery
from service.store.online_store import OnlineRoom, OnlineState
from service.store.records import AdapterTarget

Adapted = Literal["adapter", "centred", "none"]

P = TypeVar("P", CategoryScorer, StyleAdapter)

# A scorer has 12 bytes for each photo of its category, and one of a fitted adapter 4 for each pair of numbers (E, E).
_REMEMBERED_BYTES = 128 * 2**20
_PHOTOS_FOR_A_MEAN = 32_768  # more do not change it, and need not lie side by side: then they are copied


@dataclass(frozen=True)
class Answer:
    """Hits, and through which adapters they were found."""

    hits: list[SearchHit]
    adapted: Adapted = "none"
    adapter_id: str | None = None
    style_adapter_id: str | None = None


@dataclass(frozen=True)
class Gallery:
    """The photos that can be found and the adapters that are active."""

    view: GalleryView
    state: OnlineState
    _memory: Memory

    def answer(self, vector: Vectors, query: SearchQuery, where: PhotoFilter | None) -> Answer:
        """(E,) unit embedding of a sketch -> the k best. Photos of one category are compared through its adapter."""
        style_adapter_id = self.state.active.get(AdapterTarget("profile", query.profile or "")) if query.adapt else None
        if style_adapter_id is not None:
            vector = self._profile_adapter(style_adapter_id).embed_sketches(vector[None])[0]
        if where is None or len(where.categories) != 1:
            hits = self.view.search(vector, query.k, where, exact=query.exact, min_score=query.min_score)
            return Answer(hits, style_adapter_id=style_adapter_id)
        (category,) = where.categories
        scorer = self.scorer(category, fitted=query.adapt)
        within = self.view.rows_where(where) if where.conditions else None
        scores, rows = scorer.top_k(vector, query.k, self.view.products, within)
        hits = [
            SearchHit(row, score)
            for row, score in zip(rows.tolist(), scores.tolist(), strict=True)
            if query.min_score is None or score >= query.min_score
        ]
        return Answer(hits, "adapter" if scorer.adapter_id else "centred", scorer.adapter_id, style_adapter_id)

    def category_rows(self, category: str) -> Rows:
        """Ascending rows of a category's photos; none for a category that is not there (yet)."""
        if category not in self.view.categories():
            return np.empty(0, np.int64)
        return self.view.rows_where(PhotoFilter(frozenset([category])))

    def scorer(self, category: str, *, fitted: bool) -> CategoryScorer:
        """What scores the photos of a category: its active adapter if there is one and `fitted`, else centred."""
        adapter_id = self.state.active.get(AdapterTarget("category", category)) if fitted else None

        def make() -> CategoryScorer:
            rows = self.category_rows(category)
            adapter = self.view.room.adapter(adapter_id) if adapter_id else None
            if isinstance(adapter, CategoryAdapter):
                return CategoryScorer.of(adapter, adapter_id, rows, self.view.blocks)
            centred = CategoryAdapter.centred(self.view.vectors(evenly(rows, _PHOTOS_FOR_A_MEAN)))
            return CategoryScorer.of(centred, None, rows, self.view.blocks)

        # An adapter of this category, or a photo in it, makes another key; what happens to other categories does not.
        return self._memory.kept((category, adapter_id, self.view.uploads_in(category)), make)

    def _profile_adapter(self, adapter_id: str) -> StyleAdapter:
        def make() -> StyleAdapter:
            adapter = self.view.room.adapter(adapter_id)
            return adapter if isinstance(adapter, StyleAdapter) else StyleAdapter.neutral(self.view.index.embedding_dim)

        return self._memory.kept(("profile", adapter_id), make)


def evenly(rows: Rows, most: int) -> Rows:
    """At most that many of the rows, as far apart as can be."""
    return rows[:: max(1, -(-len(rows) // most))]


class Memory:
    """What is kept between answers: the gallery, and adapters made ready. Thread-safe; of one index version."""

    def __init__(self) -> None:
        """Empty."""
        self._lock = threading.Lock()
        self._turns: dict[object, threading.Lock] = {}
        self._gallery: Gallery | None = None
        self._adapters: OrderedDict[object, tuple[Any, int]] = OrderedDict()
        self._bytes = 0

    def gallery(self, index: GalleryIndex, room: OnlineRoom) -> Gallery:
        """The gallery of this moment. Raises OnlineCorrupt."""
        state = room.state()
        kept = self._gallery
        if kept is not None and kept.state is state:
            return kept
        with self._turn("gallery"):
            kept = self._gallery
            if kept is None or _identities(kept.state) != _identities(state):
                view = GalleryView.of(index, room, state.photos, kept.view if kept else None)
            else:
                view = kept.view
            self._gallery = Gallery(view, state, self)
            return self._gallery

    def kept(self, key: object, make: Callable[[], P]) -> P:
        """What is kept under `key`, or what `make` gives; while it is made, others that want it wait."""
        found: P | None = self._find(key)
        if found is not None:
            return found
        with self._turn(key):
            found = self._find(key)
            if found is None:
                found = make()
                self._keep(key, found)
            return found

    def _find(self, key: object) -> Any:
        with self._lock:
            if key not in self._adapters:
                return None
            self._adapters.move_to_end(key)
            return self._adapters[key][0]

    def _keep(self, key: object, made: CategoryScorer | StyleAdapter) -> None:
        size = sum(array.nbytes for array in vars(made).values() if isinstance(array, np.ndarray))
        with self._lock:
            self._adapters[key] = made, size
            self._bytes += size
            while self._bytes > _REMEMBERED_BYTES and len(self._adapters) > 1:
                self._bytes -= self._adapters.popitem(last=False)[1][1]

    @contextmanager
    def _turn(self, what: object) -> Iterator[None]:
        """One thread at a time for each `what`."""
        with self._lock:
            turn = self._turns.setdefault(what, threading.Lock())
        with turn:
            yield
        with self._lock:
            self._turns.pop(what, None)  # who waits already has it; who comes later finds the work done


def _identities(state: OnlineState) -> list[tuple[str, bool]]:
    return [(photo.photo_id, photo.vector is not None) for photo in state.photos]
