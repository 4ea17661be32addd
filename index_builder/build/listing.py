"""A source's listing in the order of rows, by photo id, each id once: on the disk, so that it may have any length."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import overload

from index_builder.files.scratch import scratch_array
from index_builder.files.stamp import FileStamp
from index_builder.report import Note, Report, Skipped
from index_builder.sources.base import PhotoSource, SourcePhoto
from models.arrays import Rows

_FILE, _NUMBERS = "listing.sqlite", "listing.npy"
_BLOCK_PHOTOS = 500  # SQLite limits the parameters of a statement, to 999 in older builds
_COLUMNS = "photo_id, category, path, metadata, bytes, modified_ns"
_SURROGATES = "surrogatepass"  # paths that are not valid UTF-8 have some, and SQLite's text none
_TABLE = (
    "CREATE TABLE listed (number INTEGER PRIMARY KEY, photo_id TEXT UNIQUE NOT NULL, category BLOB NOT NULL,"
    " path BLOB, metadata TEXT, bytes INTEGER, modified_ns INTEGER)"
)
# A scratch file: nothing reads it after a crash. The cache is what a listing costs in memory.
_SCRATCH = ("PRAGMA journal_mode = OFF", "PRAGMA synchronous = OFF", "PRAGMA cache_size = -2048")


class ListedPhotos(Sequence[SourcePhoto]):
    """Listed photos in the order of their ids, read from the disk as they are looked at. Threads may share it."""

    def __init__(self, database: sqlite3.Connection, lock: threading.Lock, numbers: Rows) -> None:
        """`numbers` (N,): the entry of each photo in the database."""
        self._database = database
        self._lock = lock
        self._numbers = numbers

    def __len__(self) -> int:
        """Photos (N)."""
        return len(self._numbers)

    @overload
    def __getitem__(self, position: int) -> SourcePhoto: ...

    @overload
    def __getitem__(self, position: slice) -> ListedPhotos: ...

    def __getitem__(self, position: int | slice) -> SourcePhoto | ListedPhotos:
        """One photo, or a view of several."""
        if isinstance(position, slice):
            return ListedPhotos(self._database, self._lock, self._numbers[position])
        with self._lock:
            query = self._database.execute(
                f"SELECT {_COLUMNS} FROM listed WHERE number = ?", (int(self._numbers[position]),)
            )
            return _parsed(*query.fetchone())

    def __iter__(self) -> Iterator[SourcePhoto]:
        """Each photo in order."""
        for start in range(0, len(self), _BLOCK_PHOTOS):
            yield from self._read(self._numbers[start : start + _BLOCK_PHOTOS].tolist())

    def _read(self, numbers: list[int]) -> list[SourcePhoto]:
        marks = ", ".join("?" * len(numbers))
        with self._lock:
            entries = self._database.execute(
                f"SELECT number, {_COLUMNS} FROM listed WHERE number IN ({marks})", numbers
            ).fetchall()
        read = {number: _parsed(*values) for number, *values in entries}
        return [read[number] for number in numbers]

    def at(self, positions: Rows) -> ListedPhotos:
        """A view of the photos at these positions, in their order."""
        return ListedPhotos(self._database, self._lock, self._numbers[positions])


@contextmanager
def listed_photos(source: PhotoSource, report: Report, scratch: Path) -> Iterator[ListedPhotos]:
    """The source's photos by id, within the block; of those with one id the first counts, the others are reported.

    `scratch`: a folder for a file that is removed at once. Raises GalleryInvalid, SourceUnavailable.
    """
    database = sqlite3.connect(scratch / _FILE, check_same_thread=False, isolation_level=None)
    try:
        for statement in (*_SCRATCH, _TABLE, "BEGIN"):
            database.execute(statement)
        for listed in source.list():
            if isinstance(listed, Skipped):
                report.skip(listed)
            elif isinstance(listed, Note):
                report.note(listed)
            elif not _added(database, listed):
                report.skip(_repeated(database, listed))
        database.execute("COMMIT")
        # Bytes of UTF-8, by which SQLite sorts, have the order of code points, by which Python does.
        order = database.execute("SELECT number FROM listed ORDER BY photo_id")
        ((count,),) = database.execute("SELECT COUNT(*) FROM listed")
        numbers = scratch_array(scratch / _NUMBERS, (count,))
        for position, (number,) in enumerate(order):
            numbers[position] = number
        yield ListedPhotos(database, threading.Lock(), numbers)
    finally:
        database.close()
        for name in (_FILE, _NUMBERS):
            (scratch / name).unlink(missing_ok=True)


def _added(database: sqlite3.Connection, photo: SourcePhoto) -> bool:
    path = None if photo.path == photo.photo_id else _bytes(photo.path)
    metadata = json.dumps(photo.metadata) if photo.metadata else None
    values = (photo.photo_id, _bytes(photo.category), path, metadata, *(photo.stamp or (None, None)))
    return (
        database.execute(f"INSERT OR IGNORE INTO listed ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)", values).rowcount == 1
    )


def _repeated(database: sqlite3.Connection, photo: SourcePhoto) -> Skipped:
    query = database.execute(f"SELECT {_COLUMNS} FROM listed WHERE photo_id = ?", (photo.photo_id,))
    first = _parsed(*query.fetchone())
    return Skipped("duplicate_id", photo.path, f"{first.path} has this id already", photo.photo_id)


def _parsed(
    photo_id: str, category: bytes, path: bytes | None, metadata: str | None, size: int | None, modified_ns: int | None
) -> SourcePhoto:
    values = () if metadata is None else json.loads(metadata)
    return SourcePhoto(
        photo_id,
        category.decode(errors=_SURROGATES),
        photo_id if path is None else path.decode(errors=_SURROGATES),
        tuple(tuple(value) if isinstance(value, list) else value for value in values),
        None if size is None or modified_ns is None else FileStamp(size, modified_ns),
    )


def _bytes(text: str) -> bytes:
    return text.encode(errors=_SURROGATES)
