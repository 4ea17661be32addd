"""The photos that can be found at one moment: the immutable index, and behind its rows what changed online since."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import numpy as np

from index_builder.artifact import (
    CategoryNotFound,
    GalleryIndex,
    PhotoFilter,
    PhotoNotFound,
    PhotoRecord,
    SearchHit,
    StoredOriginal,
    Thumbnail,
    left_out,
    stored_id,
    top_k,
)
from models.arrays import Rows, Vectors
from service.search.online.following import Followed, followed
from service.search.online.matches import matching_slots
from service.search.online.rows import OnlineRows
from service.search.paging import digest_of
from service.store.online_store import OnlineStore
from service.store.records import EXAMPLE_PREFIX, OnlinePhoto
from service.store.state.photo_changes import PhotoChanges

T = TypeVar("T")

_BLOCK_ROWS = 16_384  # rows read in one go while a category's adapter is made ready


@dataclass(frozen=True)
class GalleryView:
    """Rows count through the index (G), of which some are hidden, and then through the slots of `online`.

    A row of the index is hidden once its photo is deleted, or uploaded or described anew; then `online` has the photo.
    Searches with no change are the index's own, to the bit.
    """

    index: GalleryIndex
    store: OnlineStore
    changes: PhotoChanges
    _followed: Followed

    @classmethod
    def of(
        cls, index: GalleryIndex, store: OnlineStore, changes: PhotoChanges, before: GalleryView | None = None
    ) -> GalleryView:
        """The index with these changes. `before`: an earlier view of the same index, which costs what is new since."""
        if before is None or before.index is not index or before.changes.generation != changes.generation:
            return cls(
                index, store, changes, followed(index, Followed.nothing(index), *changes.since(-1), changes.change)
            )
        new = changes.since(before.changes.change)
        return cls(index, store, changes, followed(index, before._followed, *new, changes.change))

    @property
    def online(self) -> OnlineRows:
        """Photos and vectors behind the rows of the index."""
        return self._followed.online

    @property
    def hidden(self) -> Rows:
        """Ascending rows of the index that are not found any more."""
        return self._followed.hidden

    @property
    def uploaded(self) -> tuple[OnlinePhoto, ...]:
        """The photos behind the rows of the index, in the order of their changes."""
        return self.online.photos

    @property
    def count(self) -> int:
        """Photos that can be found."""
        return self.index.count - len(self.hidden) + len(self.online.live)

    @cached_property
    def rows(self) -> Rows:
        """Ascending rows of all photos that can be found."""
        return np.concatenate([self._shown(np.arange(self.index.count)), self.index.count + self.online.live])

    @cached_property
    def state(self) -> str:
        """Equal for views in which every search finds the same."""
        return digest_of(self.index.bundle_id, self.index.version, self.changes.change)

    def content_of(self, category: str) -> tuple[int, int]:
        """Equal for views in which a category has the same rows."""
        return self.online.epoch, self._followed.touched.get(category, -1)

    @cached_property
    def _indexed_categories(self) -> frozenset[str]:
        return frozenset(name for name, _ in self.index.categories())

    @cached_property
    def _categories(self) -> Mapping[str, int]:
        return dict(sorted(self._followed.counts.items()))

    @cached_property
    def one_way_rows(self) -> Rows:
        """Ascending rows of photos, changed ones too, whose category faces one way by the index's measurement."""
        one_way = self.index.manifest.one_way_categories
        if not one_way:
            return np.empty(0, np.int64)
        slots = self.online.in_categories(one_way)
        # Slots count on behind the index's rows, so the result ascends without sorting.
        return np.concatenate([self._shown(self.index.rows_where(PhotoFilter(one_way))), self.index.count + slots])

    def categories(self) -> Mapping[str, int]:
        """Photos in each category, by name."""
        return self._categories

    def key_of(self, row: int) -> int:
        """What a cursor says of a row: that of an index, or, negative, the change of a photo behind it.

        A slot is of this process alone.
        """
        return row if row < self.index.count else -self.online.photo(row - self.index.count).change

    def search(
        self, query: Vectors, k: int, where: PhotoFilter | None, *, exact: bool, min_score: float | None
    ) -> list[SearchHit]:
        """(E,) unit vector -> the k best hits by plain cosine. Raises CategoryNotFound, FilterInvalid."""
        narrowed = self._within_index(where) if where else None
        hits = []
        # `narrowed` is None in two cases: there is no filter at all, or it leaves only what changed.
        if narrowed is not None or where is None:
            (hits,) = self.index.search(
                query[None], k, where=narrowed, exact=exact, min_score=min_score, hidden=self.hidden
            )
        if not len(self.online.live):
            return hits
        scores, slots = self.online.best(query, k, self._slots_where(where) if where else None)
        for score, slot in zip(np.clip(scores, -1.0, 1.0).tolist(), slots.tolist(), strict=True):
            if min_score is None or score >= min_score:
                hits.append(SearchHit(self.index.count + slot, score))
        return sorted(hits, key=lambda hit: (-hit.score, hit.row))[:k]

    def search_rows(
        self, query: Vectors, k: int, rows: Rows, *, exact: bool = False, min_score: float | None
    ) -> list[SearchHit]:
        """(E,) unit vector, (R,) ascending rows -> the k best hits among them by plain cosine.

        Each of them is scored, but for many rows of an index in Milvus, which then proposes some unless `exact`.
        """
        split = int(np.searchsorted(rows, self.index.count))
        hits = self.index.search_rows(query, k, rows[:split], exact=exact, min_score=min_score)
        if split == len(rows):
            return hits
        changed = rows[split:]
        scores, best = top_k(self.online.products(query, changed - self.index.count), k, changed)
        for score, row in zip(np.clip(scores, -1.0, 1.0).tolist(), best.tolist(), strict=True):
            if min_score is None or score >= min_score:
                hits.append(SearchHit(row, score))
        return sorted(hits, key=lambda hit: (-hit.score, hit.row))[:k]

    def rows_where(self, where: PhotoFilter) -> Rows:
        """Ascending rows that match. Raises CategoryNotFound, FilterInvalid."""
        narrowed = self._within_index(where)
        rows = np.empty(0, np.int64) if narrowed is None else self._shown(self.index.rows_where(narrowed))
        if not len(self.online.live):
            return rows
        return np.concatenate([rows, self.index.count + self._slots_where(where)])

    def products(self, query: Vectors, rows: Rows) -> Vectors:
        """(E,), (R,) ascending rows -> (R,) inner products."""
        # Rows ascend, so one cut parts those of the index from those behind it.
        split = int(np.searchsorted(rows, self.index.count))
        indexed: Vectors = self.index.products(query[None], rows[:split])[0]
        if split == len(rows):
            return indexed
        return np.concatenate([indexed, self.online.products(query, rows[split:] - self.index.count)])

    def blocks(self, rows: Rows) -> Iterator[Vectors]:
        """(R,) ascending rows -> their vectors (n, E), at most 16,384 rows at a time."""
        for start in range(0, len(rows), _BLOCK_ROWS):
            yield self.vectors(rows[start : start + _BLOCK_ROWS])

    def vectors(self, rows: Rows) -> Vectors:
        """(R,) ascending rows -> (R, E) unit vectors; not to be written into."""
        split = int(np.searchsorted(rows, self.index.count))
        indexed = self.index.vectors_of(rows[:split])
        if split == len(rows):
            return indexed
        return np.concatenate([indexed, self.online.vectors(rows[split:] - self.index.count)])

    def has_photo(self, photo_id: str) -> bool:
        """Whether a search may answer this photo."""
        try:
            self.row(photo_id)
        except PhotoNotFound:
            return False
        return True

    def has_upload(self, photo_id: str) -> bool:
        """Whether the photo lies behind the rows of the index and can be found."""
        return self.online.slot_of(photo_id) is not None

    def row(self, photo_id: str) -> int:
        """The row of a photo that can be found. Raises PhotoNotFound."""
        photo_id = stored_id(photo_id)
        slot = self.online.slot_of(photo_id)
        if slot is not None:
            return self.index.count + slot
        # Its file has come into the index since: clients that still hold the id that it had get the indexed row.
        found = self._twin(photo_id) or self.index.photo(photo_id)
        if not len(left_out(np.array([found.row]), self.hidden)):
            return found.row
        if (slot := self.online.slot_of(found.photo_id)) is not None:
            return self.index.count + slot
        raise PhotoNotFound(f"no photo {photo_id!r} in this gallery")

    def photo(self, photo_id: str) -> PhotoRecord:
        """The record of a photo, searchable or not. Raises PhotoNotFound."""
        photo_id = self._present(photo_id)
        slot = self.online.slot_of(photo_id)
        photo = self.online.photo(slot) if slot is not None else self.changes.photo(photo_id)
        return self.index.photo(photo_id) if photo is None else self._record(photo)

    def photos(self, rows: Sequence[int]) -> list[PhotoRecord]:
        """The records of rows, in their order. Raises PhotoNotFound."""
        count = self.index.count
        within = [row for row in rows if row < count]
        if len(within) == len(rows):
            return self.index.photos(within)
        indexed = iter(self.index.photos(within))
        return [next(indexed) if row < count else self._record(self.online.photo(row - count)) for row in rows]

    def thumbnail(self, photo_id: str) -> Thumbnail:
        """A JPEG of at most 256 px, with its ETag. Raises PhotoNotFound."""
        photo_id = self._present(photo_id)
        if self.changes.photo(photo_id) is None:
            return self.index.thumbnail(photo_id)
        return _stored(self.store.thumbnail(photo_id), photo_id)

    def original(self, photo_id: str) -> Path | StoredOriginal | bytes | None:
        """The photo's own file, or its content where it was uploaded; None where it is not at hand.

        Raises PhotoNotFound.
        """
        photo_id = self._present(photo_id)
        if self.changes.photo(photo_id) is not None:
            return _stored(self.store.image(photo_id), photo_id)
        # An index has no file of a photo that was uploaded: that stays with the store.
        return self.index.original(photo_id) or self.store.image(photo_id)

    def _present(self, photo_id: str) -> str:
        """The id as it is stored. Raises PhotoNotFound for that of a deleted photo."""
        photo_id = stored_id(photo_id)
        if photo_id in self.changes.deleted:
            raise PhotoNotFound(f"no photo {photo_id!r} in this gallery")
        return photo_id

    def _twin(self, photo_id: str) -> PhotoRecord | None:
        """The indexed photo with the file of one that came with examples."""
        if not photo_id.startswith(EXAMPLE_PREFIX):
            return None
        photo = self.changes.photo(photo_id)
        content = (photo.sha256, photo.category) if photo else self.store.sha256_of(photo_id)
        return self.index.photo_with_bytes(*content) if content else None

    def _record(self, photo: OnlinePhoto) -> PhotoRecord:
        # -1: known, but not among those that can be found.
        slot = self.online.slot_of(photo.photo_id)
        row = -1 if slot is None else self.index.count + slot
        described = (photo.photo_id, photo.category, "", photo.sha256, photo.width, photo.height)
        return PhotoRecord(row, *described, metadata=photo.metadata)

    def _shown(self, rows: Rows) -> Rows:
        """Ascending rows of the index without hidden ones."""
        return np.delete(rows, left_out(rows, self.hidden)) if len(self.hidden) else rows

    def _within_index(self, where: PhotoFilter) -> PhotoFilter | None:
        """`where` without the categories that the index lacks; None when no other is left."""
        if not where.categories:
            return where
        kept = where.categories & self._indexed_categories
        if unknown := where.categories - self._categories.keys():
            raise CategoryNotFound(f"no photo of this gallery has the category {min(unknown)!r}")
        if not kept:
            self.index.rows_where(PhotoFilter(frozenset(), where.conditions))  # the conditions still have to be right
            return None
        return replace(where, categories=kept)

    def _slots_where(self, where: PhotoFilter) -> Rows:
        return matching_slots(self.online, where, self.index.manifest.metadata_fields)


def _stored(found: T | None, photo_id: str) -> T:
    if found is None:  # removed in this very moment
        raise PhotoNotFound(f"no photo {photo_id!r} in this gallery")
    return found
