"""A manifest of photos: photo_path, category, optionally photo_id; every other column is filterable metadata."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from index_builder.artifact.manifest import GallerySource, MetadataField
from index_builder.artifact.photo_store import MetadataValue
from index_builder.errors import GalleryInvalid
from index_builder.report import Note, Skipped
from index_builder.sources.base import FileStamp, SourcePhoto
from index_builder.sources.columns import CATEGORY, PATH, PHOTO_ID
from index_builder.sources.exclusions import Exclusions
from index_builder.sources.local_files import EquivalentNames, fault_of, open_file, stamp_of
from index_builder.sources.manifest_files import READERS, ManifestColumns
from index_builder.sources.photo_ids import PhotoIdInvalid, category_from, photo_id_from


class TableSource:
    """A `PhotoSource` over the rows of a manifest; paths are relative to the manifest's folder."""

    def __init__(
        self, root: Path, name: str, columns: ManifestColumns, exclusions: Exclusions, *, follow_links: bool
    ) -> None:
        """`root`: the manifest's folder, resolved; `name`: its file name."""
        self._root = root
        self._exclusions = exclusions
        self._follow_links = follow_links
        self._name = name
        self._columns = columns
        self._fields = tuple(MetadataField(name=field, type=column.type) for field, column in columns.metadata.items())

    @classmethod
    def read(cls, manifest: Path, exclusions: Exclusions, *, follow_links: bool = False) -> TableSource:
        """Read a manifest by its extension. Raises GalleryInvalid, ParquetUnavailable."""
        reader = READERS.get(manifest.suffix.lower())
        if reader is None:
            raise GalleryInvalid(f"{manifest} is neither a folder nor a manifest ({' or '.join(READERS)})")
        root = manifest.parent.resolve()
        return cls(root, manifest.name, reader(manifest), exclusions, follow_links=follow_links)

    @property
    def description(self) -> GallerySource:
        """The manifest's folder and file name."""
        return GallerySource(root=str(self._root), manifest=self._name, follows_links=self._follow_links)

    @property
    def fields(self) -> tuple[MetadataField, ...]:
        """The manifest's columns beyond the reserved ones, in their order."""
        return self._fields

    def list(self) -> Iterator[SourcePhoto | Skipped | Note]:
        """Each row in order, after the remarks on the table."""
        yield from self._columns.remarks
        names = EquivalentNames(self._root)
        for position in range(len(self._columns.row_names)):
            yield self._listed(position, names)

    def open(self, photo: SourcePhoto) -> BinaryIO:
        """The photo's bytes. Raises OSError."""
        return open_file(self._root, photo.path)

    def stamp(self, photo: SourcePhoto) -> FileStamp | None:
        """Size and time of change of the photo's file; None where it is gone."""
        return stamp_of(self._root, photo.path)

    def covers(self, path: Path) -> bool:
        """Never: only what the manifest names is listed."""
        return False

    def _listed(self, position: int, names: EquivalentNames) -> SourcePhoto | Skipped:
        photo_path = self._columns.reserved[PATH][position]
        if not photo_path:
            return Skipped("bad_row", self._columns.row_names[position], f"{PATH} is empty")
        path = Path(photo_path)
        # An absolute path would tie the index to this machine, ".." would make two paths of one photo.
        if path.is_absolute() or ".." in path.parts:
            return Skipped("outside_gallery", photo_path, "paths are relative to the manifest, without '..'")
        relative = names.found(path.as_posix())
        if pattern := self._exclusions.of_path(relative, is_folder=False):
            return Skipped("excluded", relative, pattern)
        try:
            photo_id = photo_id_from(self._cell(PHOTO_ID, position) or relative)
        except PhotoIdInvalid as error:
            return Skipped("unusable_name", relative, str(error))
        if fault := fault_of(self._root, relative, photo_id, follow_links=self._follow_links):
            return fault
        category = self._cell(CATEGORY, position)
        if category is None:
            category = category_from(relative)
        return SourcePhoto(photo_id, unicodedata.normalize("NFC", category), relative, self._metadata(position))

    def _cell(self, name: str, position: int) -> str | None:
        column = self._columns.reserved.get(name)
        return None if column is None else column[position]

    def _metadata(self, position: int) -> tuple[MetadataValue, ...]:
        return tuple(column.values[position] for column in self._columns.metadata.values())
