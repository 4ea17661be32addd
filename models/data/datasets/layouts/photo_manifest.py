"""The manifest that an index is built from, read as a gallery of photos: photo_path, category, optionally photo_id.

It describes photos without sketches, so it is not among the formats that `open_dataset` recognises. An index build
reads the same file and rejects duplicates and unsafe paths (`index_builder.sources`); here the rows count as they are.
"""

from __future__ import annotations

from pathlib import Path

from models.data.datasets.files.tables import read_table
from models.data.datasets.records.errors import DatasetNotFound
from models.data.datasets.records.record import Photo, PhotoKey

_OWN_COLUMNS = frozenset({"photo_path", "category", "photo_id"})


def read_photos(manifest: Path) -> tuple[Photo, ...]:
    """The rows in order; paths are relative to the manifest's folder, further columns become attributes.

    A row without a photo_id is identified by its path. No photo is opened: a missing one shows when it is read. Raises
    DatasetNotFound, ColumnMissing.
    """
    if not manifest.is_file():
        raise DatasetNotFound(f"{manifest} is no file: a manifest of photos is expected, such as a gallery's")
    return tuple(
        Photo(
            PhotoKey(row["category"], row.get("photo_id") or row["photo_path"]),
            manifest.parent / row["photo_path"],
            attributes={name: value for name, value in row.items() if name not in _OWN_COLUMNS},
        )
        for row in read_table(manifest, ("photo_path", "category"))
    )
