"""A copy of a file that lies in a store: it is gone through more than once, and must be the same each time."""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from pathlib import Path

from index_builder.errors import GalleryInvalid
from index_builder.sources.places.base import PhotoPlace

_BLOCK_BYTES = 8 * 2**20  # one request each


class Scratch:
    """A temporary file that goes away with this object, at the latest with the process."""

    def __init__(self, path: Path) -> None:
        """Takes the file over."""
        self.path = path
        weakref.finalize(self, path.unlink, missing_ok=True)

    @classmethod
    def new(cls) -> Scratch:
        """An empty file. Raises OSError."""
        descriptor, name = tempfile.mkstemp(prefix="inkseek-")
        os.close(descriptor)
        return cls(Path(name))


def snapshot_of(place: PhotoPlace, path: str) -> Scratch:
    """A copy of a file of a place. Raises GalleryInvalid, SourceUnavailable."""
    copy = Scratch.new()
    try:
        with copy.path.open("wb") as target, place.open(path) as file:
            shutil.copyfileobj(file, target, _BLOCK_BYTES)
    except OSError as error:
        raise GalleryInvalid(f"{place.root}/{path} cannot be copied: {error}") from error
    return copy
