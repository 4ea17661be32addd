"""Objects of a store: a photo's id is its key below the URL, its category the first folder of that."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from index_builder.artifact.manifest import GallerySource, MetadataField
from index_builder.files.stamp import FileStamp
from index_builder.files.store import ObjectStore
from index_builder.report import Skipped
from index_builder.sources.base import SourcePhoto
from index_builder.sources.exclusions import Exclusions
from index_builder.sources.naming import FolderRules, listed_as


class ObjectStoreSource:
    """A `PhotoSource` over every object below a URL, but for hidden and excluded ones."""

    def __init__(self, store: ObjectStore, exclusions: Exclusions) -> None:
        """Reads nothing yet."""
        self._store = store
        self._exclusions = exclusions

    @property
    def description(self) -> GallerySource:
        """The URL, without a manifest."""
        return GallerySource(root=self._store.url)

    @property
    def fields(self) -> tuple[MetadataField, ...]:
        """Always empty: objects carry no metadata that is read."""
        return ()

    def list(self) -> Iterator[SourcePhoto | Skipped]:
        """Each object in the store's order, with its stamp. Raises SourceUnavailable."""
        rules = FolderRules(self._exclusions)
        for found in self._store.objects():
            yield rules.fault_of(found.path) or listed_as(found.path, self._exclusions, found.stamp)

    def open(self, photo: SourcePhoto) -> BinaryIO:
        """The photo's bytes. Raises FileNotFoundError, ObjectChanged, SourceUnavailable."""
        return self._store.open(photo.path, photo.stamp)

    def stamp(self, photo: SourcePhoto) -> FileStamp | None:
        """The object's stamp as it is now; the listing's is cheaper. Raises SourceUnavailable."""
        return self._store.stamp(photo.path)

    def covers(self, path: Path) -> bool:
        """Never: a path of this machine is in no store."""
        return False
