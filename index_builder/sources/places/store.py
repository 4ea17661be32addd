"""Photos as objects of a store: what is not looked at before it is read, since each look is a request."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import BinaryIO

from index_builder.files.stamp import FileStamp
from index_builder.files.store import ObjectStore


@dataclass(frozen=True)
class StorePlace:
    """A `PhotoPlace` over the objects below a URL; links are unknown to it."""

    store: ObjectStore
    follows_links: bool = False

    @property
    def root(self) -> str:
        """The URL."""
        return self.store.url

    def finder(self) -> StorePlace:
        """Itself."""
        return self

    def found(self, relative: str) -> str:
        """As it is written: stores compare names by their bytes."""
        return relative

    def matching(self, pattern: str) -> list[str]:
        """Of objects directly below the URL. Raises SourceUnavailable."""
        names = (found.path for found in self.store.objects() if "/" not in found.path)
        return [name for name in names if fnmatchcase(name, pattern)]

    def fault_of(self, path: str, photo_id: str) -> None:
        """Never: an object that is not there shows when it is read."""

    def open(self, path: str, listed: FileStamp | None = None) -> BinaryIO:
        """The object as a seekable stream. Raises FileNotFoundError, ObjectChanged, SourceUnavailable."""
        return self.store.open(path, listed)

    def stamp(self, path: str) -> FileStamp | None:
        """The object's stamp as it is now. Raises SourceUnavailable."""
        return self.store.stamp(path)
