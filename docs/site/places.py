"""Where a file of the repository stands in the site, and what a link to it becomes there."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath
from posixpath import normpath, relpath

_FENCE = re.compile(r"^(```.*?^```[^\n]*$)", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r'(\]\()([^)\s]+)|((?:src|href)=")([^"]+)')
SHOWN_AS_TEXT = {".py", ".toml", ".yaml", ".yml", ".ts", ".js", ".swift", ".kt", ".html", ".ipynb", ".cff", ""}
"""Endings of files that get a page with their text; what has another ending is copied as it is."""


def place_of(path: str) -> str:
    """The source file in the site of a file or folder of the repository, which `path` names from the root.

    `docs` is the root of the site, the README its home page, and a folder's README the page of that folder.
    """
    if path == "README.md":
        return "index.md"
    # Zensical passes hidden folders over.
    named = PurePosixPath(*(part.removeprefix(".") for part in PurePosixPath(path.removeprefix("docs/")).parts))
    if named.name == "README.md":
        return str(named.with_name("index.md"))
    return str(named) if named.suffix not in SHOWN_AS_TEXT else f"{named}.md"


def links_of(text: str, page: str) -> Iterator[str]:
    """The paths from the repository's root that a page links to, without anchors and without other sites."""
    for prose in _FENCE.split(text)[::2]:
        for found in _LINK.finditer(prose):
            target = (found[2] or found[4]).partition("#")[0]
            if target and "://" not in target and not target.startswith("mailto:"):
                yield normpath(PurePosixPath(page).parent / target)


def placed(text: str, page: str, exists: Callable[[str], bool]) -> str:
    """The page with each link made one of the site; links in code blocks stay, and so do those to what is no file."""

    def moved(found: re.Match[str]) -> str:
        before, target = (found[1], found[2]) if found[1] else (found[3], found[4])
        path, hash_mark, anchor = target.partition("#")
        named = normpath(PurePosixPath(page).parent / path)
        if not path or "://" in target or not exists(named):
            return found[0]
        here = PurePosixPath(place_of(page)).parent
        return f"{before}{relpath(place_of(named), here)}{hash_mark}{anchor}"

    parts = _FENCE.split(text)
    parts[::2] = [_LINK.sub(moved, prose) for prose in parts[::2]]
    return "".join(parts)
