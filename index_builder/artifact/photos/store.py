"""The reader of photos.sqlite: the photo of each row, its metadata and its thumbnail."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from index_builder.artifact.errors import IndexCorrupt, PhotoNotFound
from index_builder.artifact.filters.conditions import Clause
from index_builder.artifact.filters.fields import clause_sql, metadata_column
from index_builder.artifact.filters.row_categories import RowCategories, parsed_categories
from index_builder.artifact.filters.word_table import ROWS_WITH_WORDS, WORD_TABLE, has_full_text, match_expression
from index_builder.artifact.filters.words import WordFilter
from index_builder.artifact.manifest import MetadataField
from index_builder.artifact.photos.columns import COLUMNS, ids_ending_sql, read_record, words_of_row, words_sql
from index_builder.artifact.photos.read_connections import ReadConnections
from index_builder.artifact.photos.record import PhotoRecord, Thumbnail, encodable, stored_id
from models.arrays import Rows

KEPT_RECORDS = 20_000  # about 1 kB each; the photos that searches answer again and again
_BLOCK_RECORDS = 4_096
_IN_CLAUSE_ROWS = 500  # SQLite limits the parameters of a statement, to 999 in older builds
_CACHE_ONCE_KIB = 256  # of pages, where each row is looked at once


class PhotoStore:
    """Reads photos.sqlite; thread-safe by one connection per thread."""

    def __init__(self, path: Path, fields: Sequence[MetadataField], *, kept_records: int = KEPT_RECORDS) -> None:
        """Opens nothing: each thread connects with its first query.

        `kept_records`: how many are kept once read; with 0, few of the file's pages are kept either.
        """
        self._kept_records = kept_records
        self._file = ReadConnections(path, None if kept_records else _CACHE_ONCE_KIB)
        self._name = path.name
        self._fields = tuple(fields)
        metadata = "".join(f", {metadata_column(position)}" for position in range(len(self._fields)))
        self._select = f"SELECT {', '.join(COLUMNS)}{metadata} FROM photos"
        self._records: dict[int, PhotoRecord] = {}

    def count(self) -> int:
        """Photos in the file (G), whose rows are 0 to G - 1: the last one says it. Raises IndexCorrupt."""
        return self._file.number("SELECT coalesce(max(row) + 1, 0) FROM photos")

    def photo(self, photo_id: str) -> PhotoRecord:
        """The photo with that id. Raises PhotoNotFound."""
        rows = self._file.query(f"{self._select} WHERE photo_id = ?", (stored_id(photo_id),))
        if not rows:
            raise PhotoNotFound(f"no photo {photo_id!r} in this gallery")
        return self._record(rows[0])

    def photos(self, rows: Sequence[int]) -> list[PhotoRecord]:
        """The records of `rows`, in their order. Raises PhotoNotFound."""
        # A published version never changes, so a record that was read once stays right.
        records = {row: kept for row in rows if (kept := self._records.get(row)) is not None}
        unread = [int(row) for row in rows if row not in records]
        for start in range(0, len(unread), _IN_CLAUSE_ROWS):
            part = unread[start : start + _IN_CLAUSE_ROWS]
            marks = ", ".join("?" * len(part))
            for values in self._file.query(f"{self._select} WHERE row IN ({marks})", part):
                record = self._record(values)
                records[record.row] = record
                if len(self._records) < self._kept_records:
                    self._records[record.row] = record
        missing = [row for row in rows if row not in records]
        if missing:
            raise PhotoNotFound(f"no photo at row {missing[0]} of this gallery")
        return [records[row] for row in rows]

    def thumbnail(self, photo_id: str) -> Thumbnail:
        """The thumbnail of the photo with that id. Raises PhotoNotFound."""
        rows = self._file.query(
            "SELECT jpeg, etag FROM thumbnails JOIN photos USING (row) WHERE photo_id = ?", (stored_id(photo_id),)
        )
        if not rows:
            raise PhotoNotFound(f"no photo {photo_id!r} in this gallery")
        return Thumbnail(jpeg=rows[0]["jpeg"], etag=rows[0]["etag"])

    def with_bytes(self, sha256: str, category: str) -> PhotoRecord | None:
        """The first photo of `category` whose file has that hash."""
        rows = self._file.query(
            f"{self._select} WHERE sha256 = ? AND category = ? ORDER BY row LIMIT 1", (sha256, encodable(category))
        )
        return self._record(rows[0]) if rows else None

    def holds(self, sha256: str) -> list[PhotoRecord]:
        """Every photo, of whatever category, whose file has that hash, by row."""
        return [
            self._record(values)
            for values in self._file.query(f"{self._select} WHERE sha256 = ? ORDER BY row", (sha256,))
        ]

    def records(self) -> Iterator[PhotoRecord]:
        """Every record in row order, some thousand at a time."""
        read: list[sqlite3.Row] = self._file.query(f"{self._select} ORDER BY row LIMIT ?", (_BLOCK_RECORDS,))
        while read:
            yield from map(self._record, read)
            read = self._file.query(
                f"{self._select} WHERE row > ? ORDER BY row LIMIT ?", (read[-1]["row"], _BLOCK_RECORDS)
            )

    def thumbnails(self, rows: Rows | Sequence[int]) -> list[Thumbnail]:
        """The thumbnails of rows, in their order. Raises PhotoNotFound."""
        read: dict[int, Thumbnail] = {}
        for start in range(0, len(rows), _IN_CLAUSE_ROWS):
            part = [int(row) for row in rows[start : start + _IN_CLAUSE_ROWS]]
            marks = ", ".join("?" * len(part))
            hashes = self._hashes(f"WHERE row IN ({marks})", part)
            for values in self._file.query(f"SELECT row, jpeg, etag FROM thumbnails WHERE row IN ({marks})", part):
                read[values["row"]] = Thumbnail(values["jpeg"], values["etag"], hashes.get(values["row"]))
        missing = [row for row in rows if row not in read]
        if missing:
            raise PhotoNotFound(f"no thumbnail at row {missing[0]} of this gallery")
        return [read[row] for row in rows]

    def row_categories(self) -> RowCategories:
        """The category of every row, as it was written with the file. Raises IndexCorrupt."""
        if not self._file.has_table("row_categories"):
            return RowCategories.read_from(
                name for (name,) in self._file.stream("SELECT category FROM photos ORDER BY row")
            )
        names = [name for (name,) in self._file.stream("SELECT name FROM category_names ORDER BY code")]
        blocks = (codes for (codes,) in self._file.stream("SELECT codes FROM row_categories ORDER BY first_row"))
        try:
            categories = parsed_categories(names, blocks)
        except ValueError as error:
            raise IndexCorrupt(self._name, expected="a category for each row", actual=str(error)) from error
        if len(categories.codes) != (count := self.count()):
            actual = f"{len(categories.codes)} rows with one"
            raise IndexCorrupt(self._name, expected=f"a category for each of {count} rows", actual=actual)
        return categories

    def rows_where(self, conditions: Sequence[Clause]) -> Rows:
        """Ascending rows that meet every condition. Raises FilterInvalid."""
        terms: list[str] = []
        parameters: list[str | int | float] = []
        for condition in conditions:
            term, values = clause_sql(condition, self._fields)
            terms.append(term)
            parameters.extend(values)
        matches = self._file.query(f"SELECT row FROM photos WHERE {' AND '.join(terms)} ORDER BY row", parameters)
        return np.fromiter((match["row"] for match in matches), dtype=np.int64, count=len(matches))

    def rows_with(self, words: WordFilter) -> Rows:
        """Ascending rows of photos that have these words; a file without a table of words is read row by row."""
        if self._file.has_table(WORD_TABLE) and has_full_text(self._file.connection()):
            found = self._file.query(ROWS_WITH_WORDS, (match_expression(words),))
            return np.fromiter((values[0] for values in found), dtype=np.int64, count=len(found))
        return np.fromiter((row for row, own in self.words() if words.meets(own)), dtype=np.int64)

    def words(self) -> Iterator[tuple[int, tuple[str, ...]]]:
        """Row and words of every photo, in row order."""
        for values in self._file.stream(words_sql(self._fields)):
            yield words_of_row(values, self._fields)

    def ids_ending(self, suffixes: Sequence[str]) -> frozenset[str]:
        """Ids that end with one of these texts; those of `PICTURE_SUFFIXES` were written with the file."""
        if self._file.has_table("suffixed_ids"):
            known = self._file.query(
                "SELECT photo_ids FROM suffixed_ids WHERE suffixes = ?", (json.dumps(list(suffixes)),)
            )
            if known:
                return frozenset(map(str, json.loads(known[0][0])))
        return frozenset(values[0] for values in self._file.query(*ids_ending_sql(suffixes)))

    def every_perceptual_hash(self) -> tuple[Rows, Rows]:
        """(N,) ascending rows that have a perceptual hash, and (N,) their hashes as signed numbers."""
        if not self._file.has_table("hashes"):
            return np.empty(0, np.int64), np.empty(0, np.int64)
        # Of a known length: an array that grows is copied, and takes up to half as much again.
        count = self._file.number("SELECT count(*) FROM hashes")
        rows, hashes = (
            np.fromiter(
                (value for (value,) in self._file.stream(f"SELECT {name} FROM hashes ORDER BY row")), "i8", count
            )
            for name in ("row", "hash")
        )
        return rows, hashes

    def perceptual_hashes(self, rows: Sequence[int]) -> dict[int, int]:
        """The perceptual hash of each of `rows` that has one."""
        hashes: dict[int, int] = {}
        for start in range(0, len(rows), _IN_CLAUSE_ROWS):
            part = [int(row) for row in rows[start : start + _IN_CLAUSE_ROWS]]
            hashes |= self._hashes(f"WHERE row IN ({', '.join('?' * len(part))})", part)
        return hashes

    def _hashes(self, where: str, parameters: Sequence[int]) -> dict[int, int]:
        if not self._file.has_table("hashes"):
            return {}
        return {
            values["row"]: values["hash"] for values in self._file.query(f"SELECT * FROM hashes {where}", parameters)
        }

    def problems(self) -> list[str]:
        """Defects of the file by SQLite's own check, the row order and the thumbnails; empty when it is sound."""
        problems = [str(values[0]) for values in self._file.query("PRAGMA integrity_check(10)") if values[0] != "ok"]
        out_of_order = self._file.number(
            "SELECT count(*) FROM (SELECT row, row_number() OVER (ORDER BY photo_id) - 1 AS rank FROM photos)"
            " WHERE row != rank"
        )
        if out_of_order:
            problems.append(f"{out_of_order} rows are not in the order of their photo ids")
        without = self._file.number("SELECT count(*) FROM photos WHERE row NOT IN (SELECT row FROM thumbnails)")
        if without:
            problems.append(f"{without} photos have no thumbnail")
        return problems

    def close(self) -> None:
        """Close every thread's connection; call when no thread uses the store any more."""
        self._file.close()

    def _record(self, values: sqlite3.Row) -> PhotoRecord:
        return read_record(values, self._fields)
