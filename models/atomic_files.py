"""Files that appear atomically: a reader sees the old content or the new one, whatever crashes meanwhile.

Content is written beside the destination, forced to the disk, then renamed over it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO


def replace_file(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """`write` fills a file beside `path`, which then replaces `path`. Raises OSError; `path` is then as it was."""
    staged = path.with_name(f".{path.name}.partial")
    try:
        with staged.open("wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        staged.replace(path)
    except BaseException:
        staged.unlink(missing_ok=True)
        raise
    sync_path(path.parent)


def write_bytes(path: Path, data: bytes) -> None:
    """Replace the file at `path` by `data`. Raises OSError."""
    replace_file(path, lambda file: file.write(data))


def write_text(path: Path, text: str) -> None:
    """Replace the file at `path` by `text` in UTF-8. Raises OSError."""
    write_bytes(path, text.encode())


def write_json(path: Path, document: Any) -> None:
    """Replace the file at `path` by one indented JSON document. Raises OSError, TypeError."""
    write_text(path, json.dumps(document, indent=2) + "\n")


def sync_path(path: Path) -> None:
    """Force a file's content, or a folder's list of names, to the disk. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
