"""Writes tests/golden/online_v2: an online store of schema version 2. The result is committed as it is.

Run once, by the release that had that version.

python tests/golden/make_online_v2.py
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from index_builder.artifact import MetadataValue, Thumbnail
from service.store.database import FILE
from service.store.jobs.job_store import JobStore
from service.store.jobs.records import JobItem
from service.store.online_store import OnlineStore
from service.store.records import NewPhoto, OnlinePhoto, PhotoPatch
from tests.golden.make_online_v1 import BUNDLE_ID, DIM, new_adapter, unit

PRICED: dict[str, MetadataValue] = {"price": 12.5, "tags": ("red", "new")}


def write_changes(folder: Path) -> None:
    """An adapter with a photo of its own, an upload, a photo of the index described anew, one deleted, a job."""
    store = OnlineStore(folder, BUNDLE_ID, DIM)
    photo = OnlinePhoto("online/0123456789abcdef0123", "shoe", "ab" * 32, 30, 20, unit(2.5))
    example = NewPhoto(photo, Thumbnail(b"a thumbnail", "etag-1"), b"a photo's file")
    store.add(new_adapter("category", "shoe", activate=True, photos=(example,)), 9, 9)
    upload = OnlinePhoto("boots/new.jpg", "boot", "cd" * 32, 50, 40, unit(3.5), metadata=PRICED)
    store.put_photos([NewPhoto(upload, Thumbnail(b"another thumbnail", "etag-2"), b"another file")], 9)
    store.patch_photo(PhotoPatch("shoe/1.jpg", "sandal", {"price": 7, "tags": None}))
    store.delete_photo("shoe/2.jpg")
    store.close()
    JobStore(folder).add("photos", [JobItem(0, '{"photo_id": "a.jpg"}', b"a file")], "ada", 2**30, lambda jobs: None)


def in_one_file(folder: Path) -> None:
    """One small file, without a log beside it: a copy of a folder that nobody writes."""
    with closing(sqlite3.connect(folder / FILE)) as database:
        database.execute("PRAGMA journal_mode = DELETE")
        database.execute("PRAGMA page_size = 512")
        database.execute("VACUUM")
    (folder / ".lock").unlink()


if __name__ == "__main__":
    target = Path(__file__).parent / "online_v2"
    write_changes(target)
    in_one_file(target)
