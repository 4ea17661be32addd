"""What keeps a builder from removing a version while somebody reads it: a shared lock on its manifest.

The kernel releases the lock with the process that has it, however that ends. File systems without locks hold nothing:
there, a version stays for one further build, as it does everywhere.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import weakref
from collections.abc import Iterator
from pathlib import Path

from index_builder.artifact.errors import IndexCorrupt, IndexNotFound

_MANIFEST = "manifest.json"


class VersionHold:
    """A reader's hold on one version; several readers may have one each."""

    def __init__(self, descriptor: int) -> None:
        """`descriptor`: the version's open manifest, which the hold closes."""
        # Not a file object, which would warn when a forgotten index is collected.
        self._finalizer = weakref.finalize(self, os.close, descriptor)

    @classmethod
    def of(cls, folder: Path) -> VersionHold:
        """Hold the version in `folder`. Raises IndexCorrupt, IndexNotFound when it is just being removed."""
        try:
            descriptor = os.open(folder / _MANIFEST, os.O_RDONLY)
        except OSError as error:
            raise IndexCorrupt(_MANIFEST, expected="a readable file", actual=error.strerror or str(error)) from error
        hold = cls(descriptor)
        if not _locked(descriptor, fcntl.LOCK_SH) or not _is_at(descriptor, folder / _MANIFEST):
            hold.release()
            raise IndexNotFound(f"version {folder.name} is being removed")
        return hold

    def release(self) -> None:
        """Let builders remove the version again; once more does no harm."""
        self._finalizer()


@contextlib.contextmanager
def removable(folder: Path) -> Iterator[bool]:
    """Whether nobody reads the version in `folder`; if so, nobody begins to before the block is left.

    A version without a manifest cannot be read.
    """
    try:
        descriptor = os.open(folder / _MANIFEST, os.O_RDWR)
    except OSError:
        yield True
        return
    try:
        yield _locked(descriptor, fcntl.LOCK_EX)
    finally:
        os.close(descriptor)


def _locked(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return True
    return True


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except OSError:
        return False
