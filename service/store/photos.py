"""Uploaded photos in the database. Each call is part of a transaction."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable
from dataclasses import replace

from index_builder.artifact import Thumbnail
from service.errors import OnlinePhotosLimit
from service.store.arrays import vector_bytes, vector_from_bytes
from service.store.changes import delete, next_change, read_metadata, stored_metadata, totals
from service.store.clock import timestamp
from service.store.records import EXAMPLE_PREFIX, NewPhoto, OnlinePhoto, PhotoPatch
from service.store.schema import schema_version

_COLUMNS = "photo_id, category, sha256, width, height, metadata, change"


def online_photo_id(category: str, image: bytes) -> str:
    """The same file in the same category is the same photo, however often it comes with examples."""
    # Names hold no zero byte, so it marks where the category ends and the file begins.
    return EXAMPLE_PREFIX + hashlib.sha256(category.encode() + b"\0" + image).hexdigest()[:20]


def add_photos(
    database: sqlite3.Connection,
    photos: Iterable[NewPhoto],
    bundle_id: str,
    adapter_id: str,
    max_photos: int,
    after: int = 0,
) -> None:
    """Store photos that came with an adapter; one that is there already stays as it is. Raises OnlinePhotosLimit.

    `after`: see `changes.next_change`.
    """
    for new in photos:
        photo = new.photo
        assert photo.vector is not None
        known = database.execute("SELECT number FROM photos WHERE photo_id = ?", (photo.photo_id,)).fetchone()
        if known is None:
            _insert(database, new, bundle_id, adapter_id, after)
        else:
            _set_vector(database, known["number"], bundle_id, vector_bytes(photo.vector), after)
    _reject_too_many(database, max_photos)


def put_photo(
    database: sqlite3.Connection, new: NewPhoto, bundle_id: str, max_photos: int, after: int = 0
) -> OnlinePhoto:
    """Store a photo in place of whatever its id was before; the photo with its number. Raises OnlinePhotosLimit."""
    # Not an UPDATE: what other bundles' encoders made of the old file goes with it.
    database.execute("DELETE FROM photos WHERE photo_id = ?", (new.photo.photo_id,))
    change = _insert(database, new, bundle_id, "", after)
    _reject_too_many(database, max_photos)
    return replace(new.photo, change=change)


def describe_photo(database: sqlite3.Connection, patch: PhotoPatch, after: int = 0) -> bool:
    """Change category and metadata of an uploaded photo; whether there is one of that id."""
    known = database.execute("SELECT category, metadata FROM photos WHERE photo_id = ?", (patch.photo_id,)).fetchone()
    if known is None:
        return False
    merged = {**read_metadata(known["metadata"]), **patch.metadata}
    metadata = {name: value for name, value in merged.items() if value is not None}
    database.execute(
        "UPDATE photos SET category = ?, metadata = ?, change = ? WHERE photo_id = ?",
        (
            known["category"] if patch.category is None else patch.category,
            stored_metadata(metadata),
            next_change(database, after),
            patch.photo_id,
        ),
    )
    return True


def _insert(database: sqlite3.Connection, new: NewPhoto, bundle_id: str, adapter_id: str, after: int) -> int:
    photo, change = new.photo, next_change(database, after)
    for table in ("patches", "deletions"):
        database.execute(f"DELETE FROM {table} WHERE photo_id = ?", (photo.photo_id,))
    columns = f"{_COLUMNS}, created_at, adapter_id"
    described = (photo.photo_id, photo.category, photo.sha256, photo.width, photo.height)
    number = database.execute(
        f"INSERT INTO photos ({columns}) VALUES ({', '.join('?' * 9)})",
        (*described, stored_metadata(photo.metadata), change, timestamp(), adapter_id),
    ).lastrowid
    database.execute(
        "INSERT INTO photo_files (photo, etag, thumbnail, image) VALUES (?, ?, ?, ?)",
        (number, new.thumbnail.etag, new.thumbnail.jpeg, new.image),
    )
    if photo.vector is not None:
        database.execute(
            "INSERT INTO photo_vectors (photo, bundle_id, vector) VALUES (?, ?, ?)",
            (number, bundle_id, vector_bytes(photo.vector)),
        )
    return change


def _reject_too_many(database: sqlite3.Connection, max_photos: int) -> None:
    # Afterwards, when it is known how many were new; the error rolls the whole transaction back.
    _, _, count = totals(database)
    if count > max_photos:
        raise OnlinePhotosLimit(
            f"there would be {count:,} uploaded photos; at most {max_photos:,} are kept: build them into the index"
        )


def delete_photos_of(database: sqlite3.Connection, adapter_id: str, after: int = 0) -> None:
    """Remove the photos that came with an adapter, except those that another adapter's support needs."""
    rows = database.execute(
        "SELECT photo_id FROM photos WHERE adapter_id = ? AND photo_id NOT IN (SELECT photo_id FROM support"
        " JOIN adapters ON adapters.number = support.adapter WHERE adapters.adapter_id != ?)",
        (adapter_id, adapter_id),
    ).fetchall()
    for row in rows:
        delete(database, row["photo_id"], after)


def photos_after(database: sqlite3.Connection, bundle_id: str, change: int) -> list[OnlinePhoto]:
    """Those with a higher number, by number, with their vectors by that bundle."""
    # Before schema version 2, photos never changed: the order they came in numbers them.
    columns = _COLUMNS if schema_version(database) > 1 else _COLUMNS.replace("metadata, change", "'{}', number")
    rows = database.execute(
        f"SELECT {columns}, vector FROM photos LEFT JOIN photo_vectors ON photo = number AND bundle_id = ?"
        f" WHERE {columns.rpartition(' ')[2]} > ? ORDER BY {columns.rpartition(' ')[2]}",
        (bundle_id, change),
    )
    return [
        OnlinePhoto(
            photo_id, category, sha256, width, height, vector_from_bytes(vector) if vector else None,
            read_metadata(metadata), number,
        )
        for photo_id, category, sha256, width, height, metadata, number, vector in rows
    ]  # fmt: skip


def is_stored(database: sqlite3.Connection, photo_id: str) -> bool:
    """Whether there is an uploaded photo of that id."""
    return database.execute("SELECT 1 FROM photos WHERE photo_id = ?", (photo_id,)).fetchone() is not None


def content_of(database: sqlite3.Connection, sha256: str, bundle_id: str) -> NewPhoto | None:
    """An uploaded photo of a file with that hash, with its embedding by that bundle; None where there is none."""
    if schema_version(database) < 2:
        return None
    row = database.execute(
        "SELECT photo_id, width, height, vector, etag, thumbnail, image FROM photos"
        " JOIN photo_files ON photo_files.photo = number"
        " JOIN photo_vectors ON photo_vectors.photo = number AND bundle_id = ? WHERE sha256 = ? LIMIT 1",
        (bundle_id, sha256),
    ).fetchone()
    if row is None:
        return None
    photo = OnlinePhoto(row["photo_id"], "", sha256, row["width"], row["height"], vector_from_bytes(row["vector"]))
    return NewPhoto(photo, Thumbnail(row["thumbnail"], row["etag"]), bytes(row["image"]))


def sha256_of(database: sqlite3.Connection, photo_id: str) -> tuple[str, str] | None:
    """Hash and category of an uploaded photo; None for an id that is not stored."""
    row = database.execute("SELECT sha256, category FROM photos WHERE photo_id = ?", (photo_id,)).fetchone()
    return (row["sha256"], row["category"]) if row else None


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


def set_vector(database: sqlite3.Connection, photo_id: str, bundle_id: str, vector: bytes, after: int = 0) -> None:
    """Give a photo its embedding by another bundle."""
    row = database.execute("SELECT number FROM photos WHERE photo_id = ?", (photo_id,)).fetchone()
    if row is not None:
        _set_vector(database, row["number"], bundle_id, vector, after)


def _set_vector(database: sqlite3.Connection, number: int, bundle_id: str, vector: bytes, after: int) -> None:
    known = database.execute(
        "SELECT vector FROM photo_vectors WHERE photo = ? AND bundle_id = ?", (number, bundle_id)
    ).fetchone()
    if known is not None and known["vector"] == vector:
        return
    database.execute("INSERT OR REPLACE INTO photo_vectors VALUES (?, ?, ?)", (number, bundle_id, vector))
    # It can be found from now on, which readers have to learn.
    database.execute("UPDATE photos SET change = ? WHERE number = ?", (next_change(database, after), number))
