"""A manifest of photos: photo_path, category, optionally photo_id; every other column is filterable metadata."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from index_builder.artifact.manifest import GallerySource, MetadataField
from index_builder.files.stamp import FileStamp
from index_builder.report import Note, Skipped
from index_builder.sources.base import SourcePhoto
from index_builder.sources.exclusions import Exclusions
from index_builder.sources.manifests.columns import CATEGORY, PATH, PHOTO_ID
from index_builder.sources.manifests.formats import open_rows
from index_builder.sources.manifests.typed_rows import TypedRow, TypedRows
from index_builder.sources.photo_ids import PhotoIdInvalid, category_from, photo_id_from
from index_builder.sources.places.base import NameFinder, PhotoPlace
from index_builder.sources.places.local import LocalPlace
from index_builder.sources.places.store import StorePlace
from index_builder.sources.snapshot import Scratch, snapshot_of


@dataclass(frozen=True)
class TableSource:
    """A `PhotoSource` over the rows of a manifest; paths are relative to the manifest's folder.

    `copy`: of a manifest that lies in a store, the file that it was copied to.
    """

    place: PhotoPlace
    name: str
    typed: TypedRows
    exclusions: Exclusions
    copy: Scratch | None = None

    @classmethod
    def read(cls, manifest: Path, exclusions: Exclusions, *, follow_links: bool = False) -> TableSource:
        """Read a manifest by its extension. Raises GalleryInvalid, ParquetUnavailable."""
        typed = TypedRows.of(open_rows(manifest, manifest.name), manifest.name)
        return cls(LocalPlace(manifest.parent.resolve(), follow_links), manifest.name, typed, exclusions)

    @classmethod
    def read_url(cls, place: StorePlace, name: str, exclusions: Exclusions) -> TableSource:
        """Copy the manifest called `name` out of a store, and read it.

        Raises GalleryInvalid, SourceUnavailable, ParquetUnavailable.
        """
        copy = snapshot_of(place, name)
        typed = TypedRows.of(open_rows(copy.path, name), name)
        return cls(place, name, typed, exclusions, copy)

    @property
    def description(self) -> GallerySource:
        """The manifest's folder and file name."""
        return GallerySource(root=self.place.root, manifest=self.name, follows_links=self.place.follows_links)

    @property
    def fields(self) -> tuple[MetadataField, ...]:
        """The manifest's columns beyond the reserved ones, in their order."""
        return self.typed.fields

    def list(self) -> Iterator[SourcePhoto | Skipped | Note]:
        """Each row in order, after the remarks on the table. Raises GalleryInvalid."""
        yield from self.typed.remarks
        names = self.place.finder()
        for row in self.typed.rows():
            yield self._listed(row, names) if isinstance(row, TypedRow) else row

    def open(self, photo: SourcePhoto) -> BinaryIO:
        """The photo's bytes. Raises OSError, SourceUnavailable."""
        return self.place.open(photo.path, photo.stamp)

    def stamp(self, photo: SourcePhoto) -> FileStamp | None:
        """The stamp of the photo's file; None where it is gone. Raises SourceUnavailable."""
        return self.place.stamp(photo.path)

    def covers(self, path: Path) -> bool:
        """Never: only what the manifest names is listed."""
        return False

    def _listed(self, row: TypedRow, names: NameFinder) -> SourcePhoto | Skipped:
        photo_path = row.reserved.get(PATH)
        if not photo_path:
            return Skipped("bad_row", row.name, f"{PATH} is empty")
        path = PurePosixPath(photo_path)
        # An absolute path would tie the index to this machine, ".." would make two paths of one photo.
        if path.is_absolute() or ".." in path.parts:
            return Skipped("outside_gallery", photo_path, "paths are relative to the manifest, without '..'")
        relative = names.found(path.as_posix())
        if pattern := self.exclusions.of_path(relative, is_folder=False):
            return Skipped("excluded", relative, pattern)
        try:
            photo_id = photo_id_from(row.reserved.get(PHOTO_ID) or relative)
        except PhotoIdInvalid as error:
            return Skipped("unusable_name", relative, str(error))
        if fault := self.place.fault_of(relative, photo_id):
            return fault
        category = row.reserved.get(CATEGORY)
        if category is None:
            category = category_from(relative)
        return SourcePhoto(photo_id, unicodedata.normalize("NFC", category), relative, row.metadata)
