"""A folder of photos: a photo's id is its path below the folder, its category the first folder of that path."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from index_builder.artifact.manifest import GallerySource, MetadataField
from index_builder.report import Skipped
from index_builder.sources.base import SourcePhoto
from index_builder.sources.local_files import fault_of, open_file
from index_builder.sources.photo_ids import PhotoIdInvalid, category_from, photo_id_from


class FolderSource:
    """A `PhotoSource` over everything below a folder, but for hidden files and folders."""

    def __init__(self, root: Path) -> None:
        """`root`: the folder, resolved, so that a link out of it shows by its path."""
        self._root = root

    @classmethod
    def at(cls, folder: Path) -> FolderSource:
        """The source at `folder`, which may be a link to the gallery's folder."""
        return cls(folder.resolve())

    @property
    def description(self) -> GallerySource:
        """The folder's resolved path, without a manifest."""
        return GallerySource(root=str(self._root))

    @property
    def fields(self) -> tuple[MetadataField, ...]:
        """Always empty: a folder carries no metadata."""
        return ()

    def list(self) -> Iterator[SourcePhoto | Skipped]:
        """Each file, folder by folder; a folder that cannot be read is skipped with its reason."""
        folders = [self._root]
        while folders:
            # Only folders wait in this list, never files: their number does not matter.
            folder = folders.pop()
            try:
                entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
            except OSError as error:
                path = folder.relative_to(self._root).as_posix()
                yield Skipped("unreadable", path, error.strerror or str(error))
                continue
            for entry in entries:
                # Links to folders are not followed: they may lead out, or in a circle.
                if entry.is_dir(follow_symlinks=False) and not entry.name.startswith("."):
                    folders.append(Path(entry.path))
                else:
                    yield self._listed(entry)

    def open(self, photo: SourcePhoto) -> BinaryIO:
        """The photo's bytes. Raises OSError."""
        return open_file(self._root, photo.path)

    def covers(self, path: Path) -> bool:
        """Whether `path`, which need not exist, is inside the folder once links are resolved."""
        return path.resolve().is_relative_to(self._root)

    def _listed(self, entry: os.DirEntry[str]) -> SourcePhoto | Skipped:
        relative = Path(entry.path).relative_to(self._root).as_posix()
        if entry.name.startswith("."):
            return Skipped("hidden", relative, "hidden files and folders are not indexed")
        # A link, socket or device needs the slow look; most entries are plain files.
        if not entry.is_file(follow_symlinks=False) and (fault := fault_of(self._root, relative)):
            return fault
        try:
            photo_id = photo_id_from(relative)
        except PhotoIdInvalid as error:
            return Skipped("unusable_name", relative, str(error))
        return SourcePhoto(photo_id, category_from(photo_id), relative)
