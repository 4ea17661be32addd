"""The photos that can be found at one moment: the immutable index, and behind its rows the photos uploaded since."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import numpy as np

from index_builder.artifact import (
    CategoryNotFound,
    ExactStore,
    GalleryIndex,
    PhotoFilter,
    PhotoNotFound,
    PhotoRecord,
    SearchHit,
    Thumbnail,
    meets,
    top_k,
)
from models.arrays import Rows, Vectors
from service.search.paging import digest_of
from service.store.online_store import OnlineStore
from service.store.records import OnlinePhoto

T = TypeVar("T")

_BLOCK_ROWS = 16_384  # rows read in one go while a category's adapter is made ready


@dataclass(frozen=True)
class GalleryView:
    """Rows count through the index and then through `uploaded`, which have vectors by the index's bundle.

    `known`: every uploaded photo, those too that cannot be searched (no vector by this bundle yet) or need not be (the
    same file has come into the index). Searches with no uploaded photo are the index's own, to the bit.
    """

    index: GalleryIndex
    store: OnlineStore
    uploaded: tuple[OnlinePhoto, ...]
    known: tuple[OnlinePhoto, ...]

    @classmethod
    def of(
        cls, index: GalleryIndex, store: OnlineStore, photos: tuple[OnlinePhoto, ...], before: GalleryView | None = None
    ) -> GalleryView:
        """The index with these uploads. `before`: an earlier view, whose photos need not be looked up again."""
        # Of a photo that had no vector, the earlier view does not tell whether the index holds its file.
        seen = {photo.photo_id for photo in before.known if photo.vector is not None} if before else set()
        searchable = []
        for photo in photos:
            if before and photo.photo_id in seen:
                apart = before.has_upload(photo.photo_id)
            else:
                apart = index.photo_with_bytes(photo.sha256, photo.category) is None
            if apart and photo.vector is not None:
                searchable.append(photo)
        return cls(index, store, tuple(searchable), photos)

    @property
    def count(self) -> int:
        """Photos that can be found."""
        return self.index.count + len(self.uploaded)

    @cached_property
    def _uploaded_vectors(self) -> ExactStore:
        vectors = [photo.vector for photo in self.uploaded if photo.vector is not None]
        return ExactStore(np.stack(vectors) if vectors else np.empty((0, self.index.embedding_dim), np.float32))

    @cached_property
    def _uploaded_by_id(self) -> dict[str, int]:
        return {photo.photo_id: self.index.count + position for position, photo in enumerate(self.uploaded)}

    @cached_property
    def _known_by_id(self) -> dict[str, OnlinePhoto]:
        return {photo.photo_id: photo for photo in self.known}

    @cached_property
    def state(self) -> str:
        """Equal for views in which every search finds the same."""
        return digest_of(self.index.bundle_id, self.index.version, [photo.photo_id for photo in self.uploaded])

    @cached_property
    def _indexed_categories(self) -> frozenset[str]:
        return frozenset(name for name, _ in self.index.categories())

    @cached_property
    def _categories(self) -> dict[str, int]:
        counts = Counter(dict(self.index.categories()))
        counts.update(photo.category for photo in self.uploaded)
        return dict(sorted(counts.items()))

    @cached_property
    def one_way_rows(self) -> Rows:
        """Ascending rows of photos, uploaded ones too, whose category faces one way by the index's measurement."""
        one_way = self.index.manifest.one_way_categories
        if not one_way:
            return np.empty(0, np.int64)
        uploads = [n for n, photo in enumerate(self.uploaded, self.index.count) if photo.category in one_way]
        # Uploads count on behind the index's rows, so the result ascends without sorting.
        return np.concatenate([self.index.rows_where(PhotoFilter(one_way)), np.array(uploads, np.int64)])

    def categories(self) -> dict[str, int]:
        """Photos in each category, by name."""
        return self._categories

    def uploads_in(self, category: str) -> tuple[tuple[int, str], ...]:
        """Position and id of each uploaded photo of a category that can be found."""
        return tuple((n, photo.photo_id) for n, photo in enumerate(self.uploaded) if photo.category == category)

    def search(
        self, query: Vectors, k: int, where: PhotoFilter | None, *, exact: bool, min_score: float | None
    ) -> list[SearchHit]:
        """(E,) unit vector -> the k best hits by plain cosine. Raises CategoryNotFound, FilterInvalid."""
        if not self.uploaded:
            return self.index.search(query[None], k, where=where, exact=exact, min_score=min_score)[0]
        matching = self._uploads_where(where) if where else np.arange(len(self.uploaded))
        narrowed = self._within_index(where) if where else None
        hits = []
        # `narrowed` is None in two cases: there is no filter at all, or it leaves only uploads.
        if narrowed is not None or where is None:
            hits = self.index.search(query[None], k, where=narrowed, exact=exact, min_score=min_score)[0]
        scores, positions = top_k(self._uploaded_vectors.products(query[None], matching)[0], k, matching)
        for score, position in zip(np.clip(scores, -1.0, 1.0).tolist(), positions.tolist(), strict=True):
            if min_score is None or score >= min_score:
                hits.append(SearchHit(self.index.count + position, score))
        return sorted(hits, key=lambda hit: (-hit.score, hit.row))[:k]

    def search_rows(self, query: Vectors, k: int, rows: Rows, *, min_score: float | None) -> list[SearchHit]:
        """(E,) unit vector, (R,) ascending rows -> the k best hits among them by plain cosine, each of them scored."""
        scores, best = top_k(self.products(query, rows), k, rows)
        return [
            SearchHit(row, score)
            for row, score in zip(best.tolist(), np.clip(scores, -1.0, 1.0).tolist(), strict=True)
            if min_score is None or score >= min_score
        ]

    def rows_where(self, where: PhotoFilter) -> Rows:
        """Ascending rows that match. Raises CategoryNotFound, FilterInvalid."""
        if not self.uploaded:
            return self.index.rows_where(where)
        narrowed = self._within_index(where)
        rows = np.empty(0, np.int64) if narrowed is None else self.index.rows_where(narrowed)
        return np.concatenate([rows, self.index.count + self._uploads_where(where)])

    def products(self, query: Vectors, rows: Rows) -> Vectors:
        """(E,), (R,) ascending rows -> (R,) inner products."""
        # Rows ascend, so one cut parts those of the index from those of uploads.
        split = int(np.searchsorted(rows, self.index.count))
        indexed: Vectors = self.index.products(query[None], rows[:split])[0]
        if split == len(rows):
            return indexed
        uploaded = self._uploaded_vectors.products(query[None], rows[split:] - self.index.count)[0]
        return np.concatenate([indexed, uploaded])

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
        return np.concatenate([indexed, self._uploaded_vectors.vectors_of(rows[split:] - self.index.count)])

    def has_photo(self, photo_id: str) -> bool:
        """Whether a search may answer this photo."""
        try:
            self.row(photo_id)
        except PhotoNotFound:
            return False
        return True

    def has_upload(self, photo_id: str) -> bool:
        """Whether the photo was uploaded and can be found."""
        return photo_id in self._uploaded_by_id

    def row(self, photo_id: str) -> int:
        """The row of a photo that can be found. Raises PhotoNotFound."""
        row = self._uploaded_by_id.get(photo_id)
        if row is not None:
            return row
        known = self._known_by_id.get(photo_id)
        # Its file has come into the index since: clients that still hold the upload's id get the indexed row.
        twin = known and self.index.photo_with_bytes(known.sha256, known.category)
        return (twin or self.index.photo(photo_id)).row

    def photo(self, photo_id: str) -> PhotoRecord:
        """The record of a photo, searchable or not. Raises PhotoNotFound."""
        photo = self._known_by_id.get(photo_id)
        return self.index.photo(photo_id) if photo is None else self._record(photo)

    def photos(self, rows: Sequence[int]) -> list[PhotoRecord]:
        """The records of rows, in their order. Raises PhotoNotFound."""
        indexed = iter(self.index.photos([row for row in rows if row < self.index.count]))
        return [
            next(indexed) if row < self.index.count else self._record(self.uploaded[row - self.index.count])
            for row in rows
        ]

    def thumbnail(self, photo_id: str) -> Thumbnail:
        """A JPEG of at most 256 px, with its ETag. Raises PhotoNotFound."""
        if photo_id not in self._known_by_id:
            return self.index.thumbnail(photo_id)
        return _present(self.store.thumbnail(photo_id), photo_id)

    def original(self, photo_id: str) -> Path | bytes | None:
        """The photo's own file, or its content where it was uploaded; None where it is not at hand.

        Raises PhotoNotFound.
        """
        if photo_id not in self._known_by_id:
            return self.index.original_path(photo_id)
        return _present(self.store.image(photo_id), photo_id)

    def _record(self, photo: OnlinePhoto) -> PhotoRecord:
        # -1: known, but not among those that can be found.
        row = self._uploaded_by_id.get(photo.photo_id, -1)
        return PhotoRecord(
            row, photo.photo_id, photo.category, "", photo.sha256, photo.width, photo.height, metadata={}
        )

    def _within_index(self, where: PhotoFilter) -> PhotoFilter | None:
        """`where` without the categories that only uploads have; None when no other is left."""
        if not where.categories:
            return where
        kept = where.categories & self._indexed_categories
        if unknown := where.categories - self._categories.keys():
            raise CategoryNotFound(f"no photo of this gallery has the category {min(unknown)!r}")
        if not kept:
            self.index.rows_where(PhotoFilter(frozenset(), where.conditions))  # the conditions still have to be right
            return None
        return PhotoFilter(kept, where.conditions)

    def _uploads_where(self, where: PhotoFilter) -> Rows:
        """Ascending positions in `uploaded`. An uploaded photo has no metadata, and matches as one that lacks it."""
        categories = where.categories or self._categories.keys()
        fields = self.index.manifest.metadata_fields
        known = {field.name for field in fields}
        return np.array(
            [
                n
                for n, photo in enumerate(self.uploaded)
                if photo.category in categories
                and all(meets(clause, _values_of(photo, known), fields) for clause in where.conditions)
            ],
            np.int64,
        )


def _values_of(photo: OnlinePhoto, shadowed: Set[str]) -> dict[str, str | int]:
    """What is known of an upload, without what a column of the gallery's manifest of the same name hides."""
    values: dict[str, str | int] = {
        "category": photo.category,
        "photo_id": photo.photo_id,
        "width": photo.width,
        "height": photo.height,
    }
    return {name: value for name, value in values.items() if name not in shadowed}


def _present(stored: T | None, photo_id: str) -> T:
    if stored is None:  # removed in this very moment
        raise PhotoNotFound(f"no photo {photo_id!r} in this gallery")
    return stored
