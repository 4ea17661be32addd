"""A folder of photos: a photo's id is its path below the folder, its category the first folder of that path."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from index_builder.artifact.manifest import GallerySource, MetadataField
from index_builder.files.stamp import FileStamp
from index_builder.report import Skipped
from index_builder.sources.base import SourcePhoto
from index_builder.sources.exclusions import IGNORE_FILE, Exclusions
from index_builder.sources.naming import HIDDEN, listed_as
from index_builder.sources.places.local import fault_of, open_file, stamp_of


@dataclass(frozen=True, slots=True)
class _Folder:
    """A folder that waits to be listed. `above`: device and inode of the folders that it was reached through."""

    path: str  # below the gallery, "" for the gallery itself
    exclusions: Exclusions
    above: frozenset[tuple[int, int]]


class FolderSource:
    """A `PhotoSource` over everything below a folder, but for hidden and excluded files and folders."""

    def __init__(self, root: Path, exclusions: Exclusions, *, follow_links: bool) -> None:
        """`root`: the folder, resolved, so that a link out of it shows by its path."""
        self._root = root
        self._exclusions = exclusions
        self._follow_links = follow_links

    @classmethod
    def at(cls, folder: Path, exclusions: Exclusions, *, follow_links: bool = False) -> FolderSource:
        """The source at `folder`, which may be a link to the gallery's folder."""
        return cls(folder.resolve(), exclusions, follow_links=follow_links)

    @property
    def description(self) -> GallerySource:
        """The folder's resolved path, without a manifest."""
        return GallerySource(root=str(self._root), follows_links=self._follow_links)

    @property
    def fields(self) -> tuple[MetadataField, ...]:
        """Always empty: a folder carries no metadata."""
        return ()

    def list(self) -> Iterator[SourcePhoto | Skipped]:
        """Each file, folder by folder; a folder that is excluded or cannot be read is skipped with its reason."""
        # Only folders wait in this list, never files: their number does not matter.
        folders = [_Folder("", self._exclusions, frozenset())]
        while folders:
            folder = folders.pop()
            try:
                status = (self._root / folder.path).stat()
                entries = sorted(os.scandir(self._root / folder.path), key=lambda entry: entry.name)
                exclusions = folder.exclusions.within(folder.path, self._root / folder.path)
            except OSError as error:
                yield Skipped("unreadable", folder.path, error.strerror or str(error))
                continue
            here = (status.st_dev, status.st_ino)
            if here in folder.above:
                yield Skipped("not_a_file", folder.path, "a link to a folder above it")
                continue
            entries.reverse()
            while entries:  # each gives its memory back, with the status that it keeps, before the next one
                entry = entries.pop()
                path = f"{folder.path}/{entry.name}".lstrip("/")
                if not self._is_folder(entry):
                    yield from self._listed(entry, path, exclusions)
                elif entry.name.startswith("."):
                    yield Skipped("hidden", path, HIDDEN)
                elif pattern := exclusions.of_path(path, is_folder=True):
                    yield Skipped("excluded", path, pattern)
                else:
                    folders.append(_Folder(path, exclusions, folder.above | {here}))

    def open(self, photo: SourcePhoto) -> BinaryIO:
        """The photo's bytes. Raises OSError."""
        return open_file(self._root, photo.path)

    def stamp(self, photo: SourcePhoto) -> FileStamp | None:
        """Size and time of change of the photo's file; None where it is gone."""
        return stamp_of(self._root, photo.path)

    def covers(self, path: Path) -> bool:
        """Whether `path`, which need not exist, is inside the folder once links are resolved."""
        return path.resolve().is_relative_to(self._root)

    def _is_folder(self, entry: os.DirEntry[str]) -> bool:
        # Unless that is asked for, links to folders are not followed: they may lead out, or in a circle.
        return entry.is_dir(follow_symlinks=self._follow_links)

    def _listed(self, entry: os.DirEntry[str], path: str, exclusions: Exclusions) -> Iterator[SourcePhoto | Skipped]:
        if entry.name == IGNORE_FILE:  # read above; it is no photo that somebody may miss
            return
        listed = listed_as(path, exclusions, _stamp_of(entry))
        # A link, socket or device needs the slow look; most entries are plain files.
        plain = isinstance(listed, Skipped) or entry.is_file(follow_symlinks=False)
        if not plain and (fault := fault_of(self._root, path, follow_links=self._follow_links)):
            listed = fault
        yield listed


def _stamp_of(entry: os.DirEntry[str]) -> FileStamp | None:
    try:
        status = entry.stat()
    except OSError:
        return None
    return FileStamp(status.st_size, status.st_mtime_ns)
