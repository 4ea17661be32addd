"""Folders of images, without what operating systems and archivers leave in them."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from models.data.datasets.records.errors import LayoutIncomplete

IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff"})
_KNOWN_CATEGORIES = {"shoe": "shoe", "chair": "chair", "handbag": "handbag", "cloth": "clothes"}


def images_in(folder: Path) -> list[Path]:
    """The image files of a folder in order of their names; none where there is no such folder.

    Hidden files are left out: macOS archives hold a `._x.png`, which is no image, beside each `x.png`.
    """
    if not folder.is_dir():
        return []
    return sorted(p for p in folder.iterdir() if p.suffix.lower() in IMAGE_SUFFIXES and is_visible(p) and p.is_file())


def folders_in(folder: Path) -> list[Path]:
    """The visible folders of a folder in order of their names, numbers in order of their value."""
    if not folder.is_dir():
        return []
    return sorted((p for p in folder.iterdir() if is_visible(p) and p.is_dir()), key=_natural)


def is_visible(path: Path) -> bool:
    """Whether neither the operating system nor an archiver put it there."""
    return not path.name.startswith(".") and path.name != "__MACOSX"


def bases(root: Path, is_base: Callable[[Path], bool], depth: int = 2) -> list[Path]:
    """`root` if it satisfies `is_base`, else the folders below it, to `depth`, that do; no folder inside another such.

    Archives unpack into a folder of their own, sometimes twice, and sets lie side by side.
    """
    if is_base(root):
        return [root]
    if depth == 0:
        return []
    return [base for folder in folders_in(root) for base in bases(folder, is_base, depth - 1)]


def required_bases(root: Path, is_base: Callable[[Path], bool], requires: str) -> list[Path]:
    """As `bases`, at least one. Raises LayoutIncomplete, which says that `root` lacks what a layout `requires`."""
    folders = bases(root, is_base)
    if not folders:
        raise LayoutIncomplete(f"{root} has no {requires}")
    return folders


def category_from(folder: Path) -> str:
    """`ShoeV2`, `shoes`, `QMUL-Shoe-v2` -> `shoe`; other names in lower case."""
    name = folder.name.lower()
    return next((known for part, known in _KNOWN_CATEGORIES.items() if part in name), name or "object")


def before_last(stem: str, separator: str) -> tuple[str, str] | None:
    """`a_b_12` -> (`a_b`, `12`): photo ids may hold the separator, and what follows may be longer than a digit."""
    before, _, after = stem.rpartition(separator)
    return (before, after) if before and after else None


def lines_of(table: Path) -> list[str]:
    """The lines of a list file that hold something, without blanks and Windows line ends around them."""
    # Editors on Windows put a byte order mark first, which would become a part of the first name.
    text = table.read_text(encoding="utf-8-sig", errors="replace")
    return [line.strip() for line in text.splitlines() if line.strip()]


def _natural(path: Path) -> list[tuple[int, str]]:
    # Pairs, because a number and a text that meet at one position cannot be compared.
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", path.name)]
