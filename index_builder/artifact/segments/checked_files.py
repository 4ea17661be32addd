"""Which files of immutable segments a process has read and found as their manifests say: each is hashed once."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TypeAlias

from index_builder.artifact import layout
from index_builder.artifact.errors import IndexArtifactError
from index_builder.artifact.manifest import FileEntry

_Stamp: TypeAlias = tuple[int, int, int, int, int]


class CheckStopped(IndexArtifactError):
    """Hashes were not compared to the end, since the process is ending."""


class CheckedFiles:
    """Files whose hash was compared, by device, inode, size and times of change. Thread-safe.

    Versions share segments, so a new version costs the hashes of what is new. A file that was written to since, or
    replaced, has another stamp and is read again; a disk that loses bits by itself is not noticed twice.
    """

    def __init__(self) -> None:
        """Nothing is checked yet."""
        self._checked: dict[_Stamp, FileEntry] = {}
        self._lock = threading.Lock()
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Let whoever reads a file give it up within a block: a process that ends need not wait for gigabytes."""
        self._stopped.set()

    def entry_of(self, path: Path) -> FileEntry:
        """Size and hash of a file, read now unless it was read before. Raises IndexCorrupt, CheckStopped."""
        before = _stamp(path)
        with self._lock:
            known = self._checked.get(before) if before else None
        if known is not None:
            return known
        entry = layout.hash_file(path, self._go_on)
        # Written to while it was read: the hash is of neither content.
        if before is not None and _stamp(path) == before:
            with self._lock:
                self._checked[before] = entry
        return entry

    def _go_on(self) -> None:
        if self._stopped.is_set():
            raise CheckStopped("the comparison of hashes was stopped")


def _stamp(path: Path) -> _Stamp | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
