"""photos.sqlite: the photo of each row, its metadata and its thumbnail.

Metadata has one column per field (m0, m1, ... in the order of the manifest's `metadata_fields`), so that a filter
compares typed values. Thumbnails have a table of their own, which keeps a scan of the photos short.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import unicodedata
import weakref
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from index_builder.artifact.errors import IndexCorrupt, PhotoNotFound
from index_builder.artifact.filters.conditions import Clause
from index_builder.artifact.filters.fields import clause_sql, metadata_column
from index_builder.artifact.filters.row_categories import RowCategories, parsed_categories
from index_builder.artifact.filters.word_table import ROWS_WITH_WORDS, WORD_TABLE, has_full_text, match_expression
from index_builder.artifact.filters.words import WordFilter, photo_words
from index_builder.artifact.manifest import MetadataField
from models.arrays import Rows

MetadataValue: TypeAlias = str | int | float | bool | tuple[str | int | float | bool, ...] | None

COLUMNS = ("row", "photo_id", "category", "path", "sha256", "width", "height")
PICTURE_SUFFIXES = ("/thumbnail", "/image", "/similar")
"""What the paths of a photo's pictures and neighbours have behind its id."""
KEPT_RECORDS = 20_000  # about 1 kB each; the photos that searches answer again and again
_BLOCK_RECORDS = 4_096
_IN_CLAUSE_ROWS = 500  # SQLite limits the parameters of a statement, to 999 in older builds


@dataclass(frozen=True, slots=True)
class PhotoRecord:
    """One photo of the gallery: `path` below the gallery's root, `width` and `height` of the upright file in pixels.

    `sha256` is that of the file, in hexadecimal digits.
    """

    row: int
    photo_id: str
    category: str
    path: str
    sha256: str
    width: int
    height: int
    metadata: Mapping[str, MetadataValue]


class Thumbnail(NamedTuple):
    """A JPEG of at most 256 px, with an ETag that changes with its bytes.

    `perceptual_hash`: 64 bits as a signed number, few of which differ between pictures that look the same; None where
    it was never computed.
    """

    jpeg: bytes
    etag: str
    perceptual_hash: int | None = None


class PhotoStore:
    """Reads photos.sqlite; thread-safe by one connection per thread."""

    def __init__(self, path: Path, fields: Sequence[MetadataField], *, kept_records: int = KEPT_RECORDS) -> None:
        """Opens nothing: each thread connects with its first query. `kept_records`: kept once read."""
        self._kept_records = kept_records
        self._path = path
        self._fields = tuple(fields)
        metadata = "".join(f", {metadata_column(position)}" for position in range(len(self._fields)))
        self._select = f"SELECT {', '.join(COLUMNS)}{metadata} FROM photos"
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        self._records: dict[int, PhotoRecord] = {}
        # Whoever forgets `close` leaks no file handles beyond the life of the store.
        weakref.finalize(self, _close_all, self._connections)

    def count(self) -> int:
        """Photos in the file (G), whose rows are 0 to G - 1: the last one says it. Raises IndexCorrupt."""
        return self._number("SELECT coalesce(max(row) + 1, 0) FROM photos")

    def photo(self, photo_id: str) -> PhotoRecord:
        """The photo with that id. Raises PhotoNotFound."""
        rows = self._query(f"{self._select} WHERE photo_id = ?", (stored_id(photo_id),))
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
            for values in self._query(f"{self._select} WHERE row IN ({marks})", part):
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
        rows = self._query(
            "SELECT jpeg, etag FROM thumbnails JOIN photos USING (row) WHERE photo_id = ?", (stored_id(photo_id),)
        )
        if not rows:
            raise PhotoNotFound(f"no photo {photo_id!r} in this gallery")
        return Thumbnail(jpeg=rows[0]["jpeg"], etag=rows[0]["etag"])

    def with_bytes(self, sha256: str, category: str) -> PhotoRecord | None:
        """The first photo of `category` whose file has that hash."""
        rows = self._query(
            f"{self._select} WHERE sha256 = ? AND category = ? ORDER BY row LIMIT 1", (sha256, _utf8(category))
        )
        return self._record(rows[0]) if rows else None

    def holds(self, sha256: str) -> list[PhotoRecord]:
        """Every photo, of whatever category, whose file has that hash, by row."""
        return [
            self._record(values) for values in self._query(f"{self._select} WHERE sha256 = ? ORDER BY row", (sha256,))
        ]

    def records(self) -> Iterator[PhotoRecord]:
        """Every record in row order, some thousand at a time."""
        read: list[sqlite3.Row] = self._query(f"{self._select} ORDER BY row LIMIT ?", (_BLOCK_RECORDS,))
        while read:
            yield from map(self._record, read)
            read = self._query(f"{self._select} WHERE row > ? ORDER BY row LIMIT ?", (read[-1]["row"], _BLOCK_RECORDS))

    def thumbnails(self, rows: Rows | Sequence[int]) -> list[Thumbnail]:
        """The thumbnails of rows, in their order. Raises PhotoNotFound."""
        read: dict[int, Thumbnail] = {}
        for start in range(0, len(rows), _IN_CLAUSE_ROWS):
            part = [int(row) for row in rows[start : start + _IN_CLAUSE_ROWS]]
            marks = ", ".join("?" * len(part))
            hashes = self._hashes(f"WHERE row IN ({marks})", part)
            for values in self._query(f"SELECT row, jpeg, etag FROM thumbnails WHERE row IN ({marks})", part):
                read[values["row"]] = Thumbnail(values["jpeg"], values["etag"], hashes.get(values["row"]))
        missing = [row for row in rows if row not in read]
        if missing:
            raise PhotoNotFound(f"no thumbnail at row {missing[0]} of this gallery")
        return [read[row] for row in rows]

    def row_categories(self) -> RowCategories:
        """The category of every row, as it was written with the file. Raises IndexCorrupt."""
        if not self._has_table("row_categories"):
            return RowCategories.read_from(name for (name,) in self._stream("SELECT category FROM photos ORDER BY row"))
        names = [name for (name,) in self._stream("SELECT name FROM category_names ORDER BY code")]
        blocks = (codes for (codes,) in self._stream("SELECT codes FROM row_categories ORDER BY first_row"))
        try:
            categories = parsed_categories(names, blocks)
        except ValueError as error:
            raise IndexCorrupt(self._path.name, expected="a category for each row", actual=str(error)) from error
        if len(categories.codes) != (count := self.count()):
            actual = f"{len(categories.codes)} rows with one"
            raise IndexCorrupt(self._path.name, expected=f"a category for each of {count} rows", actual=actual)
        return categories

    def rows_where(self, conditions: Sequence[Clause]) -> Rows:
        """Ascending rows that meet every condition. Raises FilterInvalid."""
        terms: list[str] = []
        parameters: list[str | int | float] = []
        for condition in conditions:
            term, values = clause_sql(condition, self._fields)
            terms.append(term)
            parameters.extend(values)
        matches = self._query(f"SELECT row FROM photos WHERE {' AND '.join(terms)} ORDER BY row", parameters)
        return np.fromiter((match["row"] for match in matches), dtype=np.int64, count=len(matches))

    def rows_with(self, words: WordFilter) -> Rows:
        """Ascending rows of photos that have these words; a file without a table of words is read row by row."""
        if self._has_table(WORD_TABLE) and has_full_text(self._connection()):
            found = self._query(ROWS_WITH_WORDS, (match_expression(words),))
            return np.fromiter((values[0] for values in found), dtype=np.int64, count=len(found))
        return np.fromiter((row for row, own in self.words() if words.meets(own)), dtype=np.int64)

    def words(self) -> Iterator[tuple[int, tuple[str, ...]]]:
        """Row and words of every photo, in row order."""
        columns = ("row", "photo_id", "category", *map(metadata_column, range(len(self._fields))))
        for values in self._stream(f"SELECT {', '.join(columns)} FROM photos ORDER BY row"):
            yield words_of_row(values, self._fields)

    def ids_ending(self, suffixes: Sequence[str]) -> frozenset[str]:
        """Ids that end with one of these texts; those of `PICTURE_SUFFIXES` were written with the file."""
        if self._has_table("suffixed_ids"):
            known = self._query("SELECT photo_ids FROM suffixed_ids WHERE suffixes = ?", (json.dumps(list(suffixes)),))
            if known:
                return frozenset(map(str, json.loads(known[0][0])))
        return frozenset(values[0] for values in self._query(*ids_ending_sql(suffixes)))

    def every_perceptual_hash(self) -> tuple[Rows, Rows]:
        """(N,) ascending rows that have a perceptual hash, and (N,) their hashes as signed numbers."""
        if not self._has_table("hashes"):
            return np.empty(0, np.int64), np.empty(0, np.int64)
        pairs = np.fromiter(self._stream("SELECT row, hash FROM hashes ORDER BY row"), np.dtype("i8, i8"))
        return pairs["f0"], pairs["f1"]

    def perceptual_hashes(self, rows: Sequence[int]) -> dict[int, int]:
        """The perceptual hash of each of `rows` that has one."""
        hashes: dict[int, int] = {}
        for start in range(0, len(rows), _IN_CLAUSE_ROWS):
            part = [int(row) for row in rows[start : start + _IN_CLAUSE_ROWS]]
            hashes |= self._hashes(f"WHERE row IN ({', '.join('?' * len(part))})", part)
        return hashes

    def _hashes(self, where: str, parameters: Sequence[int]) -> dict[int, int]:
        if not self._has_table("hashes"):
            return {}
        return {values["row"]: values["hash"] for values in self._query(f"SELECT * FROM hashes {where}", parameters)}

    def _has_table(self, name: str) -> bool:
        # Files of releases before a table are read, too.
        return bool(self._query("SELECT 1 FROM sqlite_master WHERE name = ?", (name,)))

    def problems(self) -> list[str]:
        """Defects of the file by SQLite's own check, the row order and the thumbnails; empty when it is sound."""
        problems = [str(values[0]) for values in self._query("PRAGMA integrity_check(10)") if values[0] != "ok"]
        out_of_order = self._number(
            "SELECT count(*) FROM (SELECT row, row_number() OVER (ORDER BY photo_id) - 1 AS rank FROM photos)"
            " WHERE row != rank"
        )
        if out_of_order:
            problems.append(f"{out_of_order} rows are not in the order of their photo ids")
        without = self._number("SELECT count(*) FROM photos WHERE row NOT IN (SELECT row FROM thumbnails)")
        if without:
            problems.append(f"{without} photos have no thumbnail")
        return problems

    def close(self) -> None:
        """Close every thread's connection; call when no thread uses the store any more."""
        with self._lock:
            _close_all(self._connections)
            self._local = threading.local()

    def _number(self, sql: str) -> int:
        return int(self._query(sql)[0][0])

    def _query(self, sql: str, parameters: Sequence[str | int | float] = ()) -> list[sqlite3.Row]:
        try:
            return self._connection().execute(sql, parameters).fetchall()
        except sqlite3.DatabaseError as error:
            raise IndexCorrupt(self._path.name, expected="a readable SQLite database", actual=str(error)) from error

    def _stream(self, sql: str) -> Iterator[tuple[Any, ...]]:
        """The rows one by one, as plain tuples: all at once would be the largest thing in memory."""
        try:
            cursor = self._connection().cursor()
            cursor.row_factory = None
            yield from cursor.execute(sql)
        except sqlite3.DatabaseError as error:
            raise IndexCorrupt(self._path.name, expected="a readable SQLite database", actual=str(error)) from error

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            # A published version never changes: immutable=1 saves the locks, and needs no right to write its folder.
            uri = self._path.absolute().as_uri() + "?mode=ro&immutable=1"
            try:
                connection = sqlite3.connect(uri, uri=True, check_same_thread=False)
            except sqlite3.OperationalError:
                # The file is gone, but whoever has it open still reads it: SQLite lets threads take turns.
                with self._lock:
                    if not self._connections:
                        raise
                    return self._connections[0]
            connection.row_factory = sqlite3.Row
            with self._lock:
                self._connections.append(connection)
            self._local.connection = connection
        return connection

    def _record(self, values: sqlite3.Row) -> PhotoRecord:
        columns = ((field, values[metadata_column(position)]) for position, field in enumerate(self._fields))
        metadata = {field.name: _value(value, field) for field, value in columns}
        return PhotoRecord(**{name: values[name] for name in COLUMNS}, metadata=metadata)


def ids_ending_sql(suffixes: Sequence[str]) -> tuple[str, list[str]]:
    """A query for the ids that end with one of these texts, and its parameters."""
    # Compared as text of its own: LIKE takes `%` and `_` of a suffix for wildcards, and upper case for lower.
    terms = " OR ".join("substr(photo_id, -length(?)) = ?" for _ in suffixes)
    return f"SELECT photo_id FROM photos WHERE {terms}", [suffix for suffix in suffixes for _ in range(2)]


def stored_value(value: MetadataValue) -> str | int | float | bool | None:
    """A value as its column holds it: a list becomes a JSON array, which SQLite searches by itself."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, tuple) else value


def words_of_row(values: Sequence[Any], fields: Sequence[MetadataField]) -> tuple[int, tuple[str, ...]]:
    """Row, photo id, category and then the columns of the metadata -> the row and the photo's words."""
    row, photo_id, category, *stored = values
    metadata = (_value(value, field) for value, field in zip(stored, fields, strict=True))
    return row, photo_words(photo_id, category, metadata)


def _value(stored: str | int | float | None, field: MetadataField) -> MetadataValue:
    if stored is None:
        return None
    if field.type == "list":
        return tuple(json.loads(str(stored)))
    return bool(stored) if field.type == "boolean" else stored


def _close_all(connections: list[sqlite3.Connection]) -> None:
    while connections:
        connections.pop().close()


def stored_id(photo_id: str) -> str:
    """An id in the form that ids are stored in, whichever of Unicode's forms a client writes it in."""
    return unicodedata.normalize("NFC", _utf8(photo_id))


def _utf8(text: str) -> str:
    """Lone surrogates, which no photo id has, would make SQLite's encoder raise."""
    return text.encode(errors="replace").decode()
