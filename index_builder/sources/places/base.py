"""The port of a place: files by their paths below a root."""

from __future__ import annotations

from typing import BinaryIO, Protocol

from index_builder.files.stamp import FileStamp
from index_builder.report import Skipped


class PhotoPlace(Protocol):
    """Files below a root. Immutable; threads may share it."""

    @property
    def root(self) -> str:
        """The root, as an index's manifest names it."""

    @property
    def follows_links(self) -> bool:
        """Whether links may lead out of the root."""

    def finder(self) -> NameFinder:
        """What finds files by the names that a manifest writes, for one pass over it."""

    def matching(self, pattern: str) -> list[str]:
        """Names of the files directly below the root that a pattern with `*` and `?` fits. Raises SourceUnavailable."""

    def fault_of(self, path: str, photo_id: str) -> Skipped | None:
        """Why `path` is no file that may be read, as far as a look at it tells; None where it may be one."""

    def open(self, path: str, listed: FileStamp | None = None) -> BinaryIO:
        """The file as a seekable stream. Raises OSError, and SourceUnavailable where none could be read."""

    def stamp(self, path: str) -> FileStamp | None:
        """The file's stamp without reading it; None where it is gone. Raises SourceUnavailable."""


class NameFinder(Protocol):
    """Files by the names that a manifest writes."""

    def found(self, relative: str) -> str:
        """The path of the file that is meant; `relative` itself where there is no other."""
