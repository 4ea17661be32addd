"""Everything that an answer is made of beside the sketch: photos and heads as they were at one moment."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import numpy as np

from index_builder.artifact import GalleryIndex, PhotoFilter, SearchHit
from index_builder.artifact.exact_search import Rows, Vectors
from models.bundle import CategoryHead, ProfileHead
from service.online.records import HeadName
from service.online.room import OnlineRoom, OnlineState
from service.retrieval.category_scorer import CategoryScorer
from service.retrieval.gallery_view import GalleryView
from service.retrieval.query import SearchQuery

Adapted = Literal["head", "centred", "none"]

# A scorer keeps 12 bytes a photo of its category, and a fitted head a few megabytes.
_REMEMBERED_SCORERS = 256


@dataclass(frozen=True)
class Answer:
    """Hits, and through which heads they were found."""

    hits: list[SearchHit]
    adapted: Adapted = "none"
    head_id: str | None = None
    profile_head_id: str | None = None


@dataclass(frozen=True)
class Gallery:
    """The photos that can be found and the heads that are live."""

    view: GalleryView
    state: OnlineState
    _memory: Memory

    def answer(self, vector: Vectors, query: SearchQuery, where: PhotoFilter | None) -> Answer:
        """(E,) unit embedding of a sketch -> the k best. Photos of a single category are compared through its head."""
        profile = self.state.live.get(HeadName("profile", query.profile or "")) if query.adapt else None
        if profile is not None and isinstance(profile.head, ProfileHead):
            vector = profile.head.embed(vector[None])[0]
        profile_head_id = profile.head_id if profile else None
        if where is None or len(where.categories) != 1:
            hits = self.view.search(vector, query.k, where, exact=query.exact, min_score=query.min_score)
            return Answer(hits, profile_head_id=profile_head_id)
        (category,) = where.categories
        scorer = self.scorer(category, fitted=query.adapt)
        within = self.view.rows_where(where) if where.conditions else None
        scores, rows = scorer.top_k(vector, query.k, self.view.products, within)
        hits = [
            SearchHit(row, score)
            for row, score in zip(rows.tolist(), scores.tolist(), strict=True)
            if query.min_score is None or score >= query.min_score
        ]
        return Answer(hits, "head" if scorer.head_id else "centred", scorer.head_id, profile_head_id)

    def category_rows(self, category: str) -> Rows:
        """Ascending rows of a category's photos; none for a category that is not there (yet)."""
        if category not in self.view.categories():
            return np.empty(0, np.int64)
        return self.view.rows_where(PhotoFilter(frozenset([category])))

    def scorer(self, category: str, *, fitted: bool) -> CategoryScorer:
        """What scores the photos of a category: its live head where there is one and it is wanted, else centred."""
        live = self.state.live.get(HeadName("category", category)) if fitted else None
        head_id = live.head_id if live else None

        def make() -> CategoryScorer:
            rows = self.category_rows(category)
            if live is not None and isinstance(live.head, CategoryHead):
                head = live.head
            else:
                head = CategoryHead.centred(self.view.vectors(rows))
            return CategoryScorer.of(head, head_id, rows, self.view.blocks)

        # A head of this category, or a photo in it, makes another key; what happens to other categories does not.
        return self._memory.scorer((category, head_id, self.view.uploads_in(category)), make)


class Memory:
    """What is worth keeping between answers: the current gallery, and scorers. Thread-safe; of one index version."""

    def __init__(self) -> None:
        """Empty."""
        self._lock = threading.Lock()
        self._turns: dict[object, threading.Lock] = {}
        self._gallery: Gallery | None = None
        self._scorers: OrderedDict[object, CategoryScorer] = OrderedDict()

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

    def scorer(self, key: object, make: Callable[[], CategoryScorer]) -> CategoryScorer:
        """The scorer kept under `key`, or the one that `make` gives; while it is made, others that want it wait."""
        kept = self._kept(key)
        if kept is not None:
            return kept
        with self._turn(key):
            kept = self._kept(key) or make()
            with self._lock:
                self._scorers[key] = kept
                while len(self._scorers) > _REMEMBERED_SCORERS:
                    self._scorers.popitem(last=False)
            return kept

    def _kept(self, key: object) -> CategoryScorer | None:
        with self._lock:
            if key in self._scorers:
                self._scorers.move_to_end(key)
            return self._scorers.get(key)

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
