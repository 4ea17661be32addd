"""The builder's side of photos.sqlite: a new file, filled row by row."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType

from index_builder.artifact.filters.fields import metadata_column
from index_builder.artifact.filters.row_categories import write_row_categories
from index_builder.artifact.filters.word_table import write_words
from index_builder.artifact.manifest import MetadataField
from index_builder.artifact.photos.columns import COLUMNS, ids_ending_sql, stored_value, words_of_row, words_sql
from index_builder.artifact.photos.record import PICTURE_SUFFIXES, PhotoRecord, Thumbnail
from models.atomic_files import sync_path

_BLOCK_PHOTOS = 64  # that wait to be written: half a megabyte, nearly all of it thumbnails


class PhotoStoreWriter:
    """Fills a new photos.sqlite, row by row in ascending order; use as a context manager.

    Nothing is journalled: what a killed build wrote is removed by the next one.
    """

    def __init__(self, path: Path, fields: Sequence[MetadataField]) -> None:
        """`path` must not exist yet; `fields`: the metadata columns."""
        self._path = path
        self._fields = tuple(fields)
        marks = ", ".join("?" * (len(COLUMNS) + len(self._fields)))
        self._insert = f"INSERT INTO photos VALUES ({marks})"
        self._photos: list[tuple[object, ...]] = []
        self._thumbnails: list[tuple[int, str, bytes]] = []
        self._hashes: list[tuple[int, int]] = []

    def __enter__(self) -> PhotoStoreWriter:
        """Create the file and its tables."""
        # One transaction for all rows, which `__exit__` ends: before that, no reader may use the file anyway.
        self._database = sqlite3.connect(self._path, isolation_level=None)
        metadata = "".join(f", {metadata_column(position)}" for position in range(len(self._fields)))
        self._database.executescript(
            # A cache of SQLite's size lets its sorts take as much for each index again.
            "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-1024; BEGIN;"
            "CREATE TABLE photos (row INTEGER PRIMARY KEY, photo_id TEXT NOT NULL, category TEXT NOT NULL,"
            f" path TEXT NOT NULL, sha256 TEXT NOT NULL, width INTEGER NOT NULL, height INTEGER NOT NULL{metadata});"
            "CREATE TABLE thumbnails (row INTEGER PRIMARY KEY, etag TEXT NOT NULL, jpeg BLOB NOT NULL);"
            "CREATE TABLE hashes (row INTEGER PRIMARY KEY, hash INTEGER NOT NULL);"
        )
        return self

    def append(self, photo: PhotoRecord, thumbnail: Thumbnail) -> None:
        """Add one photo; `photo.row` must follow the last one's."""
        values = (stored_value(photo.metadata.get(field.name)) for field in self._fields)
        self._photos.append(
            (photo.row, photo.photo_id, photo.category, photo.path, photo.sha256, photo.width, photo.height, *values)
        )
        self._thumbnails.append((photo.row, thumbnail.etag, thumbnail.jpeg))
        if thumbnail.perceptual_hash is not None:
            self._hashes.append((photo.row, thumbnail.perceptual_hash))
        if len(self._photos) >= _BLOCK_PHOTOS:
            self._flush()

    def append_file(self, path: Path, rows_before: int) -> None:
        """Add all photos of another photos.sqlite with the same fields, in its order; `rows_before`: photos so far.

        SQLite copies them by itself, several times as fast as one by one. Raises sqlite3.Error.
        """
        columns = ", ".join((*COLUMNS[1:], *(metadata_column(position) for position in range(len(self._fields)))))
        self._flush()
        # A database can only be attached between two transactions.
        self._database.execute("COMMIT")
        self._database.execute("ATTACH ? AS other", (str(path),))
        self._database.execute("BEGIN")
        for table, values in (("photos", columns), ("thumbnails", "etag, jpeg"), ("hashes", "hash")):
            copied = f"INSERT INTO main.{table} SELECT row + ?, {values} FROM other.{table} ORDER BY row"
            self._database.execute(copied, (rows_before,))
        self._database.execute("COMMIT")
        self._database.execute("DETACH other")
        self._database.execute("BEGIN")

    def duplicates(self) -> Iterator[tuple[str, str, str]]:
        """(photo_id, path, id of the first photo with the same bytes) of each repeated file; after the last append."""
        self._flush()
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
                self._flush()
                # After the last row: one sort instead of an insertion into the tree for each photo.
                self._database.execute("CREATE UNIQUE INDEX photos_by_id ON photos (photo_id)")
                self._database.execute("CREATE INDEX IF NOT EXISTS photos_by_sha256 ON photos (sha256)")
                write_row_categories(self._database)
                self._write_suffixed_ids()
                self._write_words()
                self._database.execute("COMMIT")
        finally:
            self._database.close()
        sync_path(self._path)

    def _write_suffixed_ids(self) -> None:
        """What `PhotoStore.ids_ending` would read every id for."""
        sql, parameters = ids_ending_sql(PICTURE_SUFFIXES)
        found = [photo_id for (photo_id,) in self._database.execute(sql, parameters)]
        self._database.execute("CREATE TABLE suffixed_ids (suffixes TEXT PRIMARY KEY, photo_ids TEXT NOT NULL)")
        values = json.dumps(PICTURE_SUFFIXES), json.dumps(sorted(found))
        self._database.execute("INSERT INTO suffixed_ids VALUES (?, ?)", values)

    def _write_words(self) -> None:
        every = self._database.execute(words_sql(self._fields))
        write_words(self._database, (words_of_row(values, self._fields) for values in every))

    def _flush(self) -> None:
        """Write the rows that were appended since the last time: one call for many costs a third of one for each."""
        self._database.executemany(self._insert, self._photos)
        self._database.executemany("INSERT INTO thumbnails VALUES (?, ?, ?)", self._thumbnails)
        self._database.executemany("INSERT INTO hashes VALUES (?, ?)", self._hashes)
        for rows in (self._photos, self._thumbnails, self._hashes):
            rows.clear()
