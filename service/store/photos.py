"""Uploaded photos in the database. Each call is part of a transaction."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable

from index_builder.artifact import Thumbnail
from service.errors import OnlinePhotosLimit
from service.store.arrays import vector_bytes, vector_from_bytes
from service.store.clock import timestamp
from service.store.records import NewPhoto, OnlinePhoto

PREFIX = "online/"


def online_photo_id(category: str, image: bytes) -> str:
    """The same file in the same category is the same photo, however often it is uploaded."""
    # Names hold no zero byte, so it marks where the category ends and the file begins.
    return PREFIX + hashlib.sha256(category.encode() + b"\0" + image).hexdigest()[:20]


def add_photos(
    database: sqlite3.Connection, photos: Iterable[NewPhoto], bundle_id: str, adapter_id: str, max_photos: int
) -> None:
    """Store photos; one that is there already stays as it is. Raises OnlinePhotosLimit."""
    for new in photos:
        photo = new.photo
        assert photo.vector is not None
        known = database.execute("SELECT number FROM photos WHERE photo_id = ?", (photo.photo_id,)).fetchone()
        number = _insert(database, new, adapter_id) if known is None else known["number"]
        database.execute(
            "INSERT OR REPLACE INTO photo_vectors (photo, bundle_id, vector) VALUES (?, ?, ?)",
            (number, bundle_id, vector_bytes(photo.vector)),
        )
    # Counted afterwards, when it is known how many were new; the error rolls the whole transaction back.
    count = database.execute("SELECT count(*) AS stored FROM photos").fetchone()["stored"]
    if count > max_photos:
        raise OnlinePhotosLimit(
            f"there would be {count:,} uploaded photos; at most {max_photos:,} are kept: build them into the index"
        )


def _insert(database: sqlite3.Connection, new: NewPhoto, adapter_id: str) -> int:
    photo = new.photo
    cursor = database.execute(
        "INSERT INTO photos (photo_id, category, sha256, width, height, created_at, adapter_id)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (photo.photo_id, photo.category, photo.sha256, photo.width, photo.height, timestamp(), adapter_id),
    )
    number = int(cursor.lastrowid or 0)
    database.execute(
        "INSERT INTO photo_files (photo, etag, thumbnail, image) VALUES (?, ?, ?, ?)",
        (number, new.thumbnail.etag, new.thumbnail.jpeg, new.image),
    )
    return number


def delete_photos_of(database: sqlite3.Connection, adapter_id: str) -> None:
    """Remove the photos that came with an adapter, except those that another adapter's support needs."""
    database.execute(
        "DELETE FROM photos WHERE adapter_id = ? AND photo_id NOT IN (SELECT photo_id FROM support JOIN adapters"
        " ON adapters.number = support.adapter WHERE adapters.adapter_id != ?)",
        (adapter_id, adapter_id),
    )


def list_photos(database: sqlite3.Connection, bundle_id: str) -> list[OnlinePhoto]:
    """All, in the order they came, with their vectors by that bundle."""
    return [
        OnlinePhoto(
            row["photo_id"],
            row["category"],
            row["sha256"],
            row["width"],
            row["height"],
            vector_from_bytes(row["vector"]) if row["vector"] else None,
        )
        for row in database.execute(
            "SELECT photo_id, category, sha256, width, height, vector FROM photos LEFT JOIN photo_vectors"
            " ON photo = number AND bundle_id = ? ORDER BY number",
            (bundle_id,),
        )
    ]


def thumbnail_of(database: sqlite3.Connection, photo_id: str) -> Thumbnail | None:
    """The thumbnail made on upload; None for an id that is not stored."""
    row = database.execute(
        "SELECT thumbnail, etag FROM photo_files JOIN photos ON photo = number WHERE photo_id = ?", (photo_id,)
    ).fetchone()
    return Thumbnail(row["thumbnail"], row["etag"]) if row else None


def image_of(database: sqlite3.Connection, photo_id: str) -> bytes | None:
    """An uploaded photo's file, to the byte; None for an id that is not stored."""
    row = database.execute(
        "SELECT image FROM photo_files JOIN photos ON photo = number WHERE photo_id = ?", (photo_id,)
    ).fetchone()
    return bytes(row["image"]) if row else None


def set_vector(database: sqlite3.Connection, photo_id: str, bundle_id: str, vector: bytes) -> None:
    """Give a photo its embedding by another bundle."""
    database.execute(
        "INSERT OR REPLACE INTO photo_vectors (photo, bundle_id, vector)"
        " SELECT number, ?, ? FROM photos WHERE photo_id = ?",
        (bundle_id, vector, photo_id),
    )
