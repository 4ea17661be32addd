"""A photos.sqlite with fields of every type, and what is in its rows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from index_builder.artifact import MetadataField, PhotoRecord, Thumbnail
from index_builder.artifact.photos.record import MetadataValue
from index_builder.artifact.photos.writer import PhotoStoreWriter

FIELDS = (
    MetadataField(name="price", type="number"),
    MetadataField(name="row", type="text"),  # the name of a column of photos.sqlite
    MetadataField(name="sold", type="boolean"),
    MetadataField(name="since", type="date"),
    MetadataField(name="tags", type="list"),
)
COUNT = 1200  # more than one IN clause holds


def record(row: int) -> PhotoRecord:
    sold = (None, True, False)[row % 3]
    metadata: dict[str, MetadataValue] = {
        "price": row / 2,
        "row": f"text {row}" if row % 2 else None,
        "sold": sold,
        "since": f"{2000 + row % 30}-05-01",
        "tags": (None, (), ("red", 38), ("blue", "re%d", True))[row % 4],
    }
    return PhotoRecord(row, f"{row:05d}.jpg", f"c{row % 4}", f"f/{row:05d}.jpg", f"{row % 1000:064x}", 9, 8, metadata)


def write(path: Path, count: int, change: Callable[[PhotoStoreWriter], object] = lambda writer: None) -> Path:
    with PhotoStoreWriter(path, FIELDS) as writer:
        for row in range(count):
            writer.append(record(row), Thumbnail(b"jpeg %d" % row, f"etag {row}"))
        change(writer)
    return path
