"""photos.sqlite: who each row is, its metadata and its thumbnail.

Metadata lies in one column per field (m0, m1, ... in the order of the manifest's `metadata_fields`), so that a filter
compares typed values. Thumbnails have a table of their own, which keeps a scan of the photos short.
"""

from __future__ import annotations

import sqlite3
import threading
import weakref
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from index_builder.artifact.errors import IndexCorrupt, PhotoNotFound
from index_builder.artifact.manifest import MetadataField
from index_builder.artifact.photo_filter import Condition, condition_sql, metadata_column
from models.arrays import Rows
from models.atomic_files import sync_path

MetadataValue: TypeAlias = str | int | float | bool | None

_COLUMNS = "row, photo_id, category, path, sha256, width, height"
_IN_CLAUSE_ROWS = 500


@dataclass(frozen=True, slots=True)
class PhotoRecord:
    """One photo of the gallery: `path` below the gallery's root, `width` and `height` of the upright file in pixels."""

    row: int
    photo_id: str
    category: str
    path: str
    sha256: str
    width: int
    height: int
    metadata: Mapping[str, MetadataValue]


class Thumbnail(NamedTuple):
    """A JPEG of at most 256 px, with an ETag that changes with its bytes."""

    jpeg: bytes
    etag: str


class PhotoStoreWriter:
    """Fills a new photos.sqlite, row by row in ascending order; use as a context manager.

    Nothing is journalled: a build that dies is thrown away whole.
    """

    def __init__(self, path: Path, fields: Sequence[MetadataField]) -> None:
        """`path` must not be there yet; `fields`: the metadata columns."""
        self._path = path
        self._fields = tuple(fields)
        columns = 7 + len(self._fields)
        self._insert = f"INSERT INTO photos VALUES ({', '.join('?' * columns)})"

    def __enter__(self) -> PhotoStoreWriter:
        """Create the file and its tables."""
        self._database = sqlite3.connect(self._path, isolation_level=None)
        metadata = "".join(f", {metadata_column(place)}" for place in range(len(self._fields)))
        self._database.executescript(
            "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; BEGIN;"
            "CREATE TABLE photos (row INTEGER PRIMARY KEY, photo_id TEXT NOT NULL, category TEXT NOT NULL,"
            f" path TEXT NOT NULL, sha256 TEXT NOT NULL, width INTEGER NOT NULL, height INTEGER NOT NULL{metadata});"
            "CREATE TABLE thumbnails (row INTEGER PRIMARY KEY, etag TEXT NOT NULL, jpeg BLOB NOT NULL);"
        )
        return self

    def append(self, photo: PhotoRecord, thumbnail: Thumbnail) -> None:
        """Add one photo; `photo.row` must be the next one."""
        values = (photo.metadata.get(field.name) for field in self._fields)
        self._database.execute(
            self._insert,
            (photo.row, photo.photo_id, photo.category, photo.path, photo.sha256, photo.width, photo.height, *values),
        )
        self._database.execute("INSERT INTO thumbnails VALUES (?, ?, ?)", (photo.row, thumbnail.etag, thumbnail.jpeg))

    def duplicates(self) -> Iterator[tuple[str, str, str]]:
        """(photo_id, path, id of the first photo with the same bytes) of each repetition; after the last append."""
        self._database.execute("CREATE INDEX IF NOT EXISTS photos_by_sha256 ON photos (sha256)")
        yield from self._database.execute(
            "SELECT twin.photo_id, twin.path, first.photo_id FROM photos AS twin JOIN photos AS first ON first.row ="
            " (SELECT min(row) FROM photos WHERE sha256 = twin.sha256) WHERE twin.row != first.row ORDER BY twin.row"
        )

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Build the lookup indexes and force the file to the disk; after an error, only close it."""
        try:
            if kind is None:
                self._database.execute("CREATE UNIQUE INDEX photos_by_id ON photos (photo_id)")
                self._database.execute("CREATE INDEX IF NOT EXISTS photos_by_sha256 ON photos (sha256)")
                self._database.execute("COMMIT")
        finally:
            self._database.close()
        sync_path(self._path)


class PhotoStore:
    """Reads photos.sqlite; thread-safe by one connection a thread."""

    def __init__(self, path: Path, fields: Sequence[MetadataField]) -> None:
        """Nothing is opened yet: each thread connects when it first asks."""
        self._path = path
        self._fields = tuple(fields)
        metadata = "".join(f", {metadata_column(place)}" for place in range(len(self._fields)))
        self._select = f"SELECT {_COLUMNS}{metadata} FROM photos"
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        weakref.finalize(self, _close_all, self._connections)

    def count(self) -> int:
        """Photos in the file."""
        return int(self._query("SELECT count(*) FROM photos")[0][0])

    def photo(self, photo_id: str) -> PhotoRecord:
        """Raises PhotoNotFound."""
        found = self._query(f"{self._select} WHERE photo_id = ?", (_utf8(photo_id),))
        if not found:
            raise PhotoNotFound(f"no photo {photo_id!r} in this gallery")
        return self._record(found[0])

    def photos(self, rows: Sequence[int]) -> list[PhotoRecord]:
        """The records of `rows`, in their order. Raises PhotoNotFound."""
        records: dict[int, PhotoRecord] = {}
        for start in range(0, len(rows), _IN_CLAUSE_ROWS):
            part = [int(row) for row in rows[start : start + _IN_CLAUSE_ROWS]]
            marks = ", ".join("?" * len(part))
            for values in self._query(f"{self._select} WHERE row IN ({marks})", part):
                record = self._record(values)
                records[record.row] = record
        missing = [row for row in rows if row not in records]
        if missing:
            raise PhotoNotFound(f"no photo at row {missing[0]} of this gallery")
        return [records[row] for row in rows]

    def thumbnail(self, photo_id: str) -> Thumbnail:
        """Raises PhotoNotFound."""
        found = self._query(
            "SELECT jpeg, etag FROM thumbnails JOIN photos USING (row) WHERE photo_id = ?", (_utf8(photo_id),)
        )
        if not found:
            raise PhotoNotFound(f"no photo {photo_id!r} in this gallery")
        return Thumbnail(jpeg=found[0][0], etag=found[0][1])

    def with_bytes(self, sha256: str, category: str) -> PhotoRecord | None:
        """The first photo of `category` whose file has that hash."""
        found = self._query(
            f"{self._select} WHERE sha256 = ? AND category = ? ORDER BY row LIMIT 1", (sha256, _utf8(category))
        )
        return self._record(found[0]) if found else None

    def categories(self) -> list[str]:
        """Category of every row, in row order."""
        return [values[0] for values in self._query("SELECT category FROM photos ORDER BY row")]

    def rows_where(self, conditions: Sequence[Condition]) -> Rows:
        """Ascending rows that meet every condition. Raises FilterInvalid."""
        terms: list[str] = []
        parameters: list[str | int | float] = []
        for condition in conditions:
            term, values = condition_sql(condition, self._fields)
            terms.append(term)
            parameters.extend(values)
        found = self._query(f"SELECT row FROM photos WHERE {' AND '.join(terms)} ORDER BY row", parameters)
        return np.fromiter((values[0] for values in found), dtype=np.int64, count=len(found))

    def problems(self) -> list[str]:
        """What SQLite's own check and the row order say against the file; empty when all is well."""
        found = [str(values[0]) for values in self._query("PRAGMA integrity_check(10)") if values[0] != "ok"]
        out_of_order = self._query(
            "SELECT count(*) FROM (SELECT row, row_number() OVER (ORDER BY photo_id) - 1 AS place FROM photos)"
            " WHERE row != place"
        )
        if out_of_order[0][0]:
            found.append(f"{out_of_order[0][0]} rows are not in the order of their photo ids")
        without = self._query("SELECT count(*) FROM photos WHERE row NOT IN (SELECT row FROM thumbnails)")
        if without[0][0]:
            found.append(f"{without[0][0]} photos have no thumbnail")
        return found

    def close(self) -> None:
        """Close every thread's connection; call when no thread uses the store any more."""
        with self._lock:
            _close_all(self._connections)
            self._local = threading.local()

    def _query(self, sql: str, parameters: Sequence[str | int | float] = ()) -> list[tuple[Any, ...]]:
        try:
            return self._connection().execute(sql, parameters).fetchall()
        except sqlite3.DatabaseError as error:
            raise IndexCorrupt(self._path.name, expected="a readable SQLite database", actual=str(error)) from error

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            uri = self._path.absolute().as_uri() + "?mode=ro&immutable=1"
            connection = sqlite3.connect(uri, uri=True, check_same_thread=False)
            with self._lock:
                self._connections.append(connection)
            self._local.connection = connection
        return connection

    def _record(self, values: tuple[Any, ...]) -> PhotoRecord:
        metadata = {
            field.name: bool(value) if field.type == "boolean" and value is not None else value
            for field, value in zip(self._fields, values[7:], strict=True)
        }
        row, photo_id, category, path, sha256, width, height = values[:7]
        return PhotoRecord(row, photo_id, category, path, sha256, width, height, metadata)


def _close_all(connections: list[sqlite3.Connection]) -> None:
    while connections:
        connections.pop().close()


def _utf8(text: str) -> str:
    """Lone surrogates, which no photo id has, would make SQLite's encoder raise."""
    return text.encode(errors="replace").decode()
