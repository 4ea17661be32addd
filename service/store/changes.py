"""Changes of single photos in the database: their numbers, patches of indexed photos, deletions.

Each call is part of a transaction. A photo is in one of three tables at most: `photos` (uploaded), `patches` (indexed,
described differently), `deletions` (gone, whether it was uploaded or indexed).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping

from index_builder.artifact import MetadataValue
from service.store.records import PhotoPatch
from service.store.schema import schema_version


def next_change(database: sqlite3.Connection, after: int = 0) -> int:
    """The number of a new change, higher than every one before and than `after`.

    `after`: what the index in service holds. A database that was put back from a backup may be behind that, and would
    give numbers that the index takes for known.
    """
    database.execute("UPDATE totals SET change = max(change, ?) + 1", (after,))
    return int(database.execute("SELECT change FROM totals").fetchone()[0])


def totals(database: sqlite3.Connection) -> tuple[str, int, int]:
    """Id of the store, number of its last change, and uploaded photos; an id of "" before schema version 2."""
    if schema_version(database) < 2:
        photos, last = database.execute("SELECT count(*), coalesce(max(number), 0) FROM photos").fetchone()
        return "", int(last), int(photos)
    store_id, change, photos = database.execute("SELECT store_id, change, photos FROM totals").fetchone()
    return str(store_id), int(change), int(photos)


def stored_metadata(metadata: Mapping[str, MetadataValue]) -> str:
    """Metadata as a column holds it."""
    return json.dumps(dict(metadata), ensure_ascii=False, allow_nan=False)


def read_metadata(text: str) -> dict[str, MetadataValue]:
    """The inverse of `stored_metadata`."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in json.loads(text).items()}


def patch(database: sqlite3.Connection, new: PhotoPatch, after: int = 0) -> PhotoPatch:
    """Store what is said of a photo that is not uploaded, over what was said before; the result, with its number."""
    known = database.execute("SELECT category, metadata FROM patches WHERE photo_id = ?", (new.photo_id,)).fetchone()
    category, metadata = new.category, dict(new.metadata)
    if known is not None:
        category = known["category"] if category is None else category
        metadata = read_metadata(known["metadata"]) | metadata
    merged = PhotoPatch(new.photo_id, category, metadata, next_change(database, after))
    database.execute(
        "INSERT OR REPLACE INTO patches (photo_id, category, metadata, change) VALUES (?, ?, ?, ?)",
        (merged.photo_id, category, stored_metadata(metadata), merged.change),
    )
    return merged


def delete(database: sqlite3.Connection, photo_id: str, after: int = 0) -> int:
    """Take a photo away, whatever is known of it; returns the number of the change."""
    database.execute("DELETE FROM photos WHERE photo_id = ?", (photo_id,))
    database.execute("DELETE FROM patches WHERE photo_id = ?", (photo_id,))
    change = next_change(database, after)
    database.execute("INSERT OR REPLACE INTO deletions (photo_id, change) VALUES (?, ?)", (photo_id, change))
    return change


def is_deleted(database: sqlite3.Connection, photo_id: str) -> bool:
    """Whether the last change of the photo took it away."""
    found = database.execute("SELECT 1 FROM deletions WHERE photo_id = ?", (photo_id,)).fetchone()
    return found is not None


def patches_after(database: sqlite3.Connection, change: int) -> list[PhotoPatch]:
    """Patches with a higher number, by number."""
    if schema_version(database) < 2:
        return []
    rows = database.execute(
        "SELECT photo_id, category, metadata, change FROM patches WHERE change > ? ORDER BY change", (change,)
    )
    return [PhotoPatch(row["photo_id"], row["category"], read_metadata(row["metadata"]), row["change"]) for row in rows]


def deletions_after(database: sqlite3.Connection, change: int) -> dict[str, int]:
    """Deleted ids with a higher number, and that, by number."""
    if schema_version(database) < 2:
        return {}
    rows = database.execute("SELECT photo_id, change FROM deletions WHERE change > ? ORDER BY change", (change,))
    return {row["photo_id"]: row["change"] for row in rows}
