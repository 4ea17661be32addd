"""What writers of an index directory share: its lock, and folders that readers do not see until they are renamed."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

from index_builder.artifact import layout
from index_builder.errors import BuildError, BuildLocked

_LOCK = ".lock"
_STAGING_PREFIX = ".building-"


@contextlib.contextmanager
def locked(out_dir: Path) -> Iterator[None]:
    """Lock the index for writing; the lock ends with the process, however that ends. Raises BuildLocked, BuildError."""
    try:
        layout.versions_dir(out_dir).mkdir(parents=True, exist_ok=True)
        file = (out_dir / _LOCK).open("a+", encoding="ascii")
    except OSError as error:
        raise BuildError(f"{out_dir} cannot be written: {error.strerror or error}") from error
    with file:
        try:
            # Not a pid file: the kernel releases this lock when its holder is killed.
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            raise BuildLocked(f"{out_dir} is being written by another process (pid {holder}); wait for it") from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


def new_staging(out_dir: Path) -> Path:
    """An empty folder for a build, invisible to readers. What killed builds left behind is removed first."""
    clear_staging(out_dir)
    return _new_folder(layout.versions_dir(out_dir))


def new_segment(out_dir: Path) -> Path:
    """An empty folder for a segment, invisible to readers; the next build removes what is left of it."""
    layout.segments_dir(out_dir).mkdir(exist_ok=True)
    return _new_folder(layout.segments_dir(out_dir))


def clear_staging(out_dir: Path) -> None:
    """Remove all that is staged; what cannot be removed now, the next build removes. The lock is held."""
    # So that no other build is writing any of it.
    for folder in (layout.versions_dir(out_dir), layout.segments_dir(out_dir), layout.partitions_dir(out_dir)):
        for leftover in folder.glob(".*"):
            shutil.rmtree(leftover, ignore_errors=True)


def _new_folder(parent: Path) -> Path:
    staging = parent / f"{_STAGING_PREFIX}{uuid.uuid4().hex[:12]}"
    staging.mkdir()
    return staging
