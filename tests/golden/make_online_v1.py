"""Writes tests/golden/online_v1: an online store of schema version 1. Run once; the result is committed as it is.

python tests/golden/make_online_v1.py
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index_builder.artifact import Thumbnail
from models.adapters import CategoryAdapter, LeaveOneOut, Ranks, StyleAdapter
from service.store.database import FILE
from service.store.online_store import OnlineStore
from service.store.records import AdapterTarget, NewAdapter, NewPhoto, OnlinePhoto, SupportPair

DIM = 4
BUNDLE_ID = "golden-bundle"


def numbers(*shape: int, start: float = 1.0) -> NDArray[np.float32]:
    """Numbers that need no random generator to be made again: start, start + 1/4, …"""
    count = int(np.prod(shape))
    values: NDArray[np.float32] = (start + np.arange(count, dtype=np.float32) / 4).astype(np.float32)
    return values.reshape(shape)


def unit(start: float) -> NDArray[np.float32]:
    vector = numbers(DIM, start=start)
    scaled: NDArray[np.float32] = (vector / np.linalg.norm(vector)).astype(np.float32)
    return scaled


def new_adapter(scope: str, name: str, *, activate: bool, photos: tuple[NewPhoto, ...] = ()) -> NewAdapter:
    category = CategoryAdapter(numbers(DIM), numbers(DIM, 3), 0.5, 0.25, numbers(DIM, start=2.0))
    return NewAdapter(
        target=AdapterTarget("category" if scope == "category" else "profile", name),
        bundle_id=BUNDLE_ID,
        adaptation_id="golden-adaptation",
        method="adaptive",
        margin=0.25 if scope == "category" else None,
        leave_one_out=LeaveOneOut(Ranks(0.5, 2.0, 0.75), Ranks(1.0, 1.0, 1.0)),
        adapter=category
        if scope == "category"
        else StyleAdapter(numbers(DIM, 2), numbers(2, DIM), numbers(DIM, start=-1.0)),
        activate=activate,
        reason="leave-one-out did not get worse",
        support=(
            SupportPair(b'{"strokes": [[[1, 2], [3, 4]]]}', unit(0.5), "shoe/1.jpg"),
            SupportPair(b"a sketch's file", unit(1.5), photos[0].photo.photo_id if photos else "shoe/2.jpg"),
        ),
        photos=photos,
        timings_ms={"fit": 1.5},
    )


def main() -> None:
    folder = Path(__file__).parent / "online_v1"
    store = OnlineStore(folder, BUNDLE_ID, DIM)
    photo = OnlinePhoto("online/0123456789abcdef0123", "shoe", "ab" * 32, 30, 20, unit(2.5))
    upload = NewPhoto(photo, Thumbnail(b"a thumbnail", "etag-1"), b"a photo's file")
    store.add(new_adapter("category", "shoe", activate=True, photos=(upload,)), 9, 9)
    store.add(new_adapter("category", "shoe", activate=True), 9, 9)
    store.add(new_adapter("profile", "ada", activate=False), 9, 9)
    store.close()
    # One small file, without a log beside it: a copy of a folder that nobody writes.
    with closing(sqlite3.connect(folder / FILE)) as database:
        database.execute("PRAGMA journal_mode = DELETE")
        database.execute("PRAGMA page_size = 512")
        database.execute("VACUUM")
    (folder / ".lock").unlink()


if __name__ == "__main__":
    main()
