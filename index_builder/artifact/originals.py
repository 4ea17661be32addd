"""Whether the photos of a gallery are still where they were indexed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, TypeAlias

Originals: TypeAlias = Literal["present", "partial", "missing", "unreadable"]
"""`present`: all that were looked at are there and may be read; `partial`: some are not there; `missing`: none is;
`unreadable`: one of them may not be read."""


def original_within(root: Path, path: str, *, follows_links: bool) -> Path | None:
    """The file of that path below `root`; outside of it only where links are followed. None where there is none."""
    try:
        # Resolved at each call: since the build, a file may have become a link that leaves the gallery.
        resolved_root = root.resolve()
        file = (resolved_root / path).resolve()
        inside = follows_links or file.is_relative_to(resolved_root)
        return file if inside and file.is_file() else None
    except (OSError, RuntimeError):  # a folder that may not be entered, links in a circle
        return None


def state_of(root: Path, paths: Sequence[str], *, follows_links: bool) -> Originals:
    """What is true of the files of `paths`, a sample of the gallery."""
    found = 0
    for path in paths:
        file = original_within(root, path, follows_links=follows_links)
        try:
            if file is not None:
                with file.open("rb") as opened:
                    opened.read(1)
                found += 1
            else:
                (root / path).stat()
        except PermissionError:
            return "unreadable"
        except OSError:
            continue
    return "present" if found == len(paths) else "partial" if found else "missing"
