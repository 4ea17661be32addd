"""The photos of several segments as one table, in the rows of the gallery."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np

from index_builder.artifact.errors import PhotoNotFound
from index_builder.artifact.filters.conditions import Clause
from index_builder.artifact.filters.row_categories import RowCategories
from index_builder.artifact.filters.words import WordFilter
from index_builder.artifact.photos.record import PhotoRecord, Thumbnail
from index_builder.artifact.photos.store import PhotoStore
from index_builder.stores.row_map import RowMap
from models.arrays import Rows


class PhotoTable(Protocol):
    """What is known of each photo of a gallery, by row and by id; see `PhotoStore` for what each call raises."""

    def count(self) -> int:
        """Photos that can be found (G)."""

    def photo(self, photo_id: str) -> PhotoRecord:
        """The photo with that id."""

    def photos(self, rows: Sequence[int]) -> list[PhotoRecord]:
        """The records of `rows`, in their order."""

    def thumbnail(self, photo_id: str) -> Thumbnail:
        """The thumbnail of the photo with that id."""

    def with_bytes(self, sha256: str, category: str) -> PhotoRecord | None:
        """The first photo of `category` whose file has that hash."""

    def holds(self, sha256: str) -> list[PhotoRecord]:
        """Every photo, of whatever category, whose file has that hash, by row."""

    def row_categories(self) -> RowCategories:
        """The category of every row."""

    def rows_where(self, conditions: Sequence[Clause]) -> Rows:
        """Ascending rows that meet every condition."""

    def rows_with(self, words: WordFilter) -> Rows:
        """Ascending rows of photos that have these words."""

    def records(self) -> Iterator[PhotoRecord]:
        """Every record in row order, read piece by piece."""

    def ids_ending(self, suffixes: Sequence[str]) -> frozenset[str]:
        """Ids that end with one of these texts."""

    def every_perceptual_hash(self) -> tuple[Rows, Rows]:
        """Ascending rows that have a perceptual hash, and their hashes as signed numbers."""

    def perceptual_hashes(self, rows: Sequence[int]) -> dict[int, int]:
        """The perceptual hash of each of `rows` that has one."""

    def problems(self) -> list[str]:
        """Defects that a slow check finds."""

    def close(self) -> None:
        """Close every connection; call when no thread uses the table any more."""


class SegmentedPhotos:
    """A `PhotoTable` over the segments of a `RowMap`; thread-safe as they are."""

    def __init__(self, segments: Sequence[PhotoStore], row_map: RowMap) -> None:
        """`segments`: in the order of `row_map`."""
        self._segments = tuple(segments)
        self._map = row_map

    def count(self) -> int:
        """Photos that can be found (G), without deleted ones."""
        return self._map.count

    def photo(self, photo_id: str) -> PhotoRecord:
        """The photo with that id. Raises PhotoNotFound, also where it was deleted."""
        return self._found(photo_id)[1]

    def photos(self, rows: Sequence[int]) -> list[PhotoRecord]:
        """The records of `rows`, in their order. Raises PhotoNotFound."""
        wanted = np.asarray(rows, np.int64)
        outside = wanted[(wanted < 0) | (wanted >= self._map.count)]
        if len(outside):
            raise PhotoNotFound(f"no photo at row {outside[0]} of this gallery")
        records: dict[int, PhotoRecord] = {}
        for segment, positions, within in self._map.split(wanted):
            read = self._segments[segment].photos(within.tolist())
            for row, record in zip(wanted[positions].tolist(), read, strict=True):
                records[row] = replace(record, row=row)
        return [records[row] for row in wanted.tolist()]

    def thumbnail(self, photo_id: str) -> Thumbnail:
        """The thumbnail of the photo with that id. Raises PhotoNotFound."""
        return self._found(photo_id)[0].thumbnail(photo_id)

    def with_bytes(self, sha256: str, category: str) -> PhotoRecord | None:
        """The first photo of `category` whose file has that hash."""
        return next((record for record in self.holds(sha256) if record.category == category), None)

    def holds(self, sha256: str) -> list[PhotoRecord]:
        """Every photo, of whatever category, whose file has that hash, by row."""
        found = [
            replace(record, row=row)
            for number, segment in enumerate(self._segments)
            for record in segment.holds(sha256)
            for row in self._map.rows_of(number, np.array([record.row])).tolist()
        ]
        return sorted(found, key=lambda record: record.row)

    def row_categories(self) -> RowCategories:
        """The category of every row; those that deleted rows alone have are not among them."""
        names: dict[str, int] = {}
        codes = np.empty(self._map.count, np.int32)
        for number, segment in enumerate(self._segments):
            own, live = segment.row_categories(), self._map.live(number)
            of_all = np.array([names.setdefault(name, len(names)) for name in own.names], np.int32)
            codes[self._map.rows_of(number, live)] = of_all[own.codes[live]]
        return RowCategories.of(tuple(names), codes)

    def rows_where(self, conditions: Sequence[Clause]) -> Rows:
        """Ascending rows that meet every condition. Raises FilterInvalid."""
        found = [
            self._map.rows_of(number, segment.rows_where(conditions)) for number, segment in enumerate(self._segments)
        ]
        rows: Rows = np.sort(np.concatenate(found))
        return rows

    def rows_with(self, words: WordFilter) -> Rows:
        """Ascending rows of photos that have these words in their ids, categories or metadata."""
        found = [self._map.rows_of(number, segment.rows_with(words)) for number, segment in enumerate(self._segments)]
        rows: Rows = np.sort(np.concatenate(found))
        return rows

    def records(self) -> Iterator[PhotoRecord]:
        """Every record in row order; each segment is read once, piece by piece."""
        every = [segment.records() for segment in self._segments]
        for row, (segment, within) in enumerate(
            zip(self._map.segment_of.tolist(), self._map.row_within.tolist(), strict=True)
        ):
            # Deleted rows lie in between, and are passed over.
            record = next(record for record in every[segment] if record.row == within)
            yield replace(record, row=row)

    def thumbnails(self, rows: Rows) -> list[Thumbnail]:
        """The thumbnails of ascending rows, in their order. Raises PhotoNotFound."""
        read: dict[int, Thumbnail] = {}
        for segment, positions, within in self._map.split(rows):
            read |= zip(positions.tolist(), self._segments[segment].thumbnails(within.tolist()), strict=True)
        return [read[position] for position in range(len(rows))]

    def ids_ending(self, suffixes: Sequence[str]) -> frozenset[str]:
        """Ids that end with one of these texts, those of deleted rows left out."""
        found = frozenset[str]().union(*(segment.ids_ending(suffixes) for segment in self._segments))
        return frozenset(photo_id for photo_id in found if self._has(photo_id))

    def every_perceptual_hash(self) -> tuple[Rows, Rows]:
        """(N,) ascending rows that have a perceptual hash, and (N,) their hashes as signed numbers."""
        found, hashes = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
        for number, segment in enumerate(self._segments):
            within, known = segment.every_perceptual_hash()
            live = np.isin(within, self._map.live(number), assume_unique=True)
            found.append(self._map.rows_of(number, within[live]))
            hashes.append(known[live])
        rows, values = np.concatenate(found), np.concatenate(hashes)
        order = np.argsort(rows)
        return rows[order], values[order]

    def perceptual_hashes(self, rows: Sequence[int]) -> dict[int, int]:
        """The perceptual hash of each of `rows` that has one."""
        asked = np.asarray(rows, np.int64)
        hashes: dict[int, int] = {}
        for number, positions, within in self._map.split(asked):
            known = self._segments[number].perceptual_hashes(within.tolist())
            pairs = zip(asked[positions].tolist(), within.tolist(), strict=True)
            hashes |= {row: known[at] for row, at in pairs if at in known}
        return hashes

    def problems(self) -> list[str]:
        """Defects of each segment's file, and rows that are not in the order of their ids over all segments."""
        problems = [problem for segment in self._segments for problem in segment.problems()]
        before, out_of_order = "", 0
        for record in self.records():
            out_of_order += record.photo_id <= before
            before = record.photo_id
        if out_of_order:
            problems.append(f"{out_of_order} rows are not in the order of their photo ids over all segments")
        return problems

    def close(self) -> None:
        """Close every segment's connections."""
        for segment in self._segments:
            segment.close()

    def _has(self, photo_id: str) -> bool:
        try:
            self._found(photo_id)
        except PhotoNotFound:
            return False
        return True

    def _found(self, photo_id: str) -> tuple[PhotoStore, PhotoRecord]:
        for number, segment in enumerate(self._segments):
            try:
                record = segment.photo(photo_id)
            except PhotoNotFound:
                continue
            for row in self._map.rows_of(number, np.array([record.row])).tolist():
                return segment, replace(record, row=row)
        raise PhotoNotFound(f"no photo {photo_id!r} in this gallery")
