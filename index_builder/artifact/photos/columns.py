"""How photos.sqlite holds a photo: the columns of its row, and each value of its metadata in one of them.

Metadata has one column per field (m0, m1, ... in the order of the manifest's `metadata_fields`), so that a filter
compares typed values. Thumbnails have a table of their own, which keeps a scan of the photos short.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from typing import Any

from index_builder.artifact.filters.fields import metadata_column
from index_builder.artifact.filters.words import photo_words
from index_builder.artifact.manifest import MetadataField
from index_builder.artifact.photos.record import MetadataValue, PhotoRecord

COLUMNS = ("row", "photo_id", "category", "path", "sha256", "width", "height")


def stored_value(value: MetadataValue) -> str | int | float | bool | None:
    """A value as its column holds it: a list becomes a JSON array, which SQLite searches by itself."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, tuple) else value


def read_value(stored: str | int | float | None, field: MetadataField) -> MetadataValue:
    """The inverse of `stored_value`, for a column of that field."""
    if stored is None:
        return None
    if field.type == "list":
        return tuple(json.loads(str(stored)))
    return bool(stored) if field.type == "boolean" else stored


def read_record(values: sqlite3.Row, fields: Sequence[MetadataField]) -> PhotoRecord:
    """The record of a row of `COLUMNS` and then the columns of all fields."""
    row, photo_id, category, path, sha256, width, height, *stored = values
    metadata = {field.name: read_value(value, field) for field, value in zip(fields, stored, strict=True)}
    return PhotoRecord(row, photo_id, category, path, sha256, width, height, metadata)


def words_sql(fields: Sequence[MetadataField]) -> str:
    """A query, in row order, for what `words_of_row` takes."""
    columns = ("row", "photo_id", "category", *map(metadata_column, range(len(fields))))
    return f"SELECT {', '.join(columns)} FROM photos ORDER BY row"


def words_of_row(values: Sequence[Any], fields: Sequence[MetadataField]) -> tuple[int, tuple[str, ...]]:
    """A row of `words_sql` -> its number and the photo's words."""
    row, photo_id, category, *stored = values
    metadata = (read_value(value, field) for value, field in zip(stored, fields, strict=True))
    return row, photo_words(photo_id, category, metadata, again=False)


def ids_ending_sql(suffixes: Sequence[str]) -> tuple[str, list[str]]:
    """A query for the ids that end with one of these texts, and its parameters."""
    # Compared as text of its own: LIKE takes `%` and `_` of a suffix for wildcards, and upper case for lower.
    terms = " OR ".join("substr(photo_id, -length(?)) = ?" for _ in suffixes)
    return f"SELECT photo_id FROM photos WHERE {terms}", [suffix for suffix in suffixes for _ in range(2)]
