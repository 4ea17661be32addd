"""Photos as files below a root folder: what is one, what it is really called, and what must not be followed."""

from __future__ import annotations

import os
import unicodedata
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import BinaryIO

from index_builder.files.stamp import FileStamp
from index_builder.report import Skipped

FOLLOW = "--follow-links follows it"


@dataclass(frozen=True)
class LocalPlace:
    """A `PhotoPlace` below a resolved folder of this machine."""

    folder: Path
    follows_links: bool = False

    @property
    def root(self) -> str:
        """The folder."""
        return str(self.folder)

    def finder(self) -> EquivalentNames:
        """Finds files whose names are written in the other form of Unicode."""
        return EquivalentNames(self.folder)

    def matching(self, pattern: str) -> list[str]:
        """Of files directly below the folder."""
        with os.scandir(self.folder) as entries:
            return [entry.name for entry in entries if fnmatchcase(entry.name, pattern)]

    def fault_of(self, path: str, photo_id: str) -> Skipped | None:
        """Why `path` is no regular file below the folder."""
        return fault_of(self.folder, path, photo_id, follow_links=self.follows_links)

    def open(self, path: str, listed: FileStamp | None = None) -> BinaryIO:
        """The file, open for reading. Raises OSError."""
        return open_file(self.folder, path)

    def stamp(self, path: str) -> FileStamp | None:
        """Size and time of change of the file; None where it cannot be looked at."""
        return stamp_of(self.folder, path)


def fault_of(root: Path, relative: str, photo_id: str | None = None, *, follow_links: bool = False) -> Skipped | None:
    """Why `relative` is no regular file below the resolved `root`; None where it is one."""
    try:
        resolved = (root / relative).resolve(strict=True)
        # A gallery is published with its photos: a link must not publish files from elsewhere unless that is meant.
        if not follow_links and not resolved.is_relative_to(root):
            return Skipped("outside_gallery", relative, f"a link that leaves the gallery's folder; {FOLLOW}", photo_id)
        if resolved.is_file():
            return None
        if (root / relative).is_symlink() and resolved.is_dir():
            return Skipped("not_a_file", relative, f"a link to a folder; {FOLLOW}", photo_id)
        kind = "a folder" if resolved.is_dir() else "no regular file"
        return Skipped("not_a_file", relative, kind, photo_id)
    except FileNotFoundError:
        detail = "a link to nothing" if (root / relative).is_symlink() else "no such file"
        return Skipped("missing", relative, detail, photo_id)
    except (OSError, ValueError, RuntimeError) as error:  # no permission, NUL in the name, links in a circle
        return Skipped("unreadable", relative, str(error), photo_id)


def open_file(root: Path, relative: str) -> BinaryIO:
    """The file at `relative` below `root`, open for reading; the caller closes it. Raises OSError."""
    return (root / relative).open("rb")


def stamp_of(root: Path, relative: str) -> FileStamp | None:
    """The stamp of the file at `relative` below `root`; None where it cannot be looked at."""
    try:
        status = (root / relative).stat()
    except OSError:
        return None
    return FileStamp(status.st_size, status.st_mtime_ns)


class EquivalentNames:
    """Finds files whose names differ from those asked for in Unicode's form alone.

    Macs write names decomposed (NFD), most other systems composed (NFC), and file systems that compare bytes take
    them for two names.
    """

    def __init__(self, root: Path) -> None:
        """Reads nothing yet; each folder is listed once, when a name in it is not found as it is written."""
        self._root = root
        self._names: dict[str, dict[str, str]] = {}

    def found(self, relative: str) -> str:
        """The path of a file that is there and canonically equal to `relative`; `relative` itself where none is."""
        if relative.isascii() or os.path.lexists(self._root / relative):
            return relative
        there = ""
        for part in relative.split("/"):
            name = self._listed(there).get(unicodedata.normalize("NFC", part))
            if name is None:
                return relative
            there = f"{there}/{name}" if there else name
        return there

    def _listed(self, folder: str) -> dict[str, str]:
        names = self._names.get(folder)
        if names is None:
            try:
                entries = sorted(entry.name for entry in (self._root / folder).iterdir())
            except OSError:
                entries = []
            names = self._names[folder] = {unicodedata.normalize("NFC", name): name for name in entries}
        return names
