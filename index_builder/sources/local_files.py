"""Photos as files below a root folder: what is one, and what must not be followed out of the root."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from index_builder.report import Skipped


def fault_of(root: Path, relative: str, photo_id: str | None = None) -> Skipped | None:
    """Why `relative` is no regular file below the resolved `root`; None where it is one."""
    try:
        resolved = (root / relative).resolve(strict=True)
        # A gallery is published with its photos: a link must not publish files from elsewhere.
        if not resolved.is_relative_to(root):
            return Skipped("outside_gallery", relative, "a link that leaves the gallery's folder", photo_id)
        if resolved.is_file():
            return None
        return Skipped("not_a_file", relative, "not a regular file", photo_id)
    except FileNotFoundError:
        return Skipped("missing", relative, "no such file (or a link to nothing)", photo_id)
    except (OSError, ValueError, RuntimeError) as error:  # no permission, NUL in the name, links in a circle
        return Skipped("unreadable", relative, str(error), photo_id)


def open_file(root: Path, relative: str) -> BinaryIO:
    """The file at `relative` below `root`, open for reading; the caller closes it. Raises OSError."""
    return (root / relative).open("rb")
