"""The port of every photo source: a listing of photos, and each photo's bytes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Protocol

from index_builder.artifact.manifest import GallerySource, MetadataField
from index_builder.artifact.photos.record import MetadataValue
from index_builder.files.stamp import FileStamp
from index_builder.report import Note, Skipped


@dataclass(frozen=True, slots=True)
class SourcePhoto:
    """A file that may be a photo: `path` below the source's root, metadata in the order of the source's fields.

    `photo_id` is unique within an index and survives a rebuild; `category` is "" for a photo of none. `stamp`: its
    file's, where the listing has it at no cost.
    """

    photo_id: str
    category: str
    path: str
    metadata: tuple[MetadataValue, ...] = ()
    stamp: FileStamp | None = field(default=None, compare=False)


class PhotoSource(Protocol):
    """Photos wherever they lie. Immutable; threads may share it."""

    @property
    def description(self) -> GallerySource:
        """What the index's manifest says of the source."""

    @property
    def fields(self) -> tuple[MetadataField, ...]:
        """Filterable metadata of each photo, in order."""

    def list(self) -> Iterator[SourcePhoto | Skipped | Note]:
        """Each listed file once per mention, as a photo or with the reason why it is none; notes on the listing.

        The order is the source's own; ids may repeat (the builder keeps the first). A source that is as large as an
        object store is listed as the iterator is drawn, with no more in memory for more photos. Raises GalleryInvalid,
        SourceUnavailable where the listing itself fails.
        """

    def open(self, photo: SourcePhoto) -> BinaryIO:
        """The photo's bytes as a seekable stream. Raises OSError (FileNotFoundError where it is gone), which leaves out
        this photo, and BuildError where none of the others could be read either.
        """

    def stamp(self, photo: SourcePhoto) -> FileStamp | None:
        """The stamp of the photo's file, without reading it; None where it is gone or the source knows none."""

    def covers(self, path: Path) -> bool:
        """Whether files written below `path` would be listed as photos."""
