"""Which files and folders are no part of a gallery: patterns as in .gitignore, given or found beside photos."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pathspec

from index_builder.errors import GalleryInvalid

IGNORE_FILE = ".inkseekignore"

# What systems and programs put beside photos, most of it smaller copies of them.
DEFAULT_PATTERNS = (
    "@eaDir/",  # Synology
    "@Recycle/",  # QNAP
    "@Recently-Snapshot/",
    r"\#recycle/",  # without the backslash it would be a remark
    r"\#snapshot/",
    "$RECYCLE.BIN/",  # Windows
    "System Volume Information/",
    "Thumbs.db",
    "ehthumbs*.db",
    "desktop.ini",
    "__MACOSX/",  # the zip files of macOS
    "Network Trash Folder/",
    "Temporary Items/",
    "lost+found/",  # Linux file systems
    "*.lrdata/",  # Lightroom's previews
    "*.photoslibrary/resources/",  # Photos' previews
    "*.photoslibrary/database/",
    "*.crdownload",  # downloads that are not finished
    "*.part",
    "*.partial",
)
_NAMED_GROUP = re.compile(r"\(\?P<\w+>")


@dataclass(frozen=True)
class _Level:
    folder: str  # below the gallery, "" for the gallery itself
    origin: str
    patterns: tuple[str, ...]
    spec: pathspec.GitIgnoreSpec
    any_of: re.Pattern[str]  # what some pattern fits: one look at a path instead of one for each pattern


@dataclass(frozen=True)
class Exclusions:
    """Patterns that hold below a folder. As git has it, a file nearer to a photo outweighs those above."""

    _levels: tuple[_Level, ...] = field(default=())

    @classmethod
    def of(cls, patterns: Sequence[str], origin: str) -> Exclusions:
        """`patterns` for the whole gallery; `origin` says in the report where they stand. Raises GalleryInvalid."""
        return cls((_level("", origin, patterns),))

    def within(self, folder: str, entries: Path) -> Exclusions:
        """Those of this folder too, from its ignore file where it has one. `folder`: its path below the gallery.

        Raises GalleryInvalid, OSError.
        """
        file = entries / IGNORE_FILE
        if not file.is_file():
            return self
        lines = file.read_text(encoding="utf-8-sig", errors="replace").splitlines()
        return Exclusions((*self._levels, _level(folder, f"{folder}/{IGNORE_FILE}".lstrip("/"), lines)))

    def of_path(self, path: str, *, is_folder: bool) -> str | None:
        """The pattern that excludes `path`, with where it stands; None where it belongs to the gallery."""
        for level in reversed(self._levels):
            below = path[len(level.folder) :].lstrip("/") + ("/" if is_folder else "")
            if level.any_of.match(below) is None:
                continue
            found = level.spec.check_file(below)
            if found.include is not None:
                index = found.index
                pattern = level.patterns[index] if index is not None else ""
                return f"{pattern} ({level.origin})" if found.include else None
        return None


def _level(folder: str, origin: str, patterns: Sequence[str]) -> _Level:
    try:
        spec = pathspec.GitIgnoreSpec.from_lines(patterns)
    except ValueError as error:  # pathspec's own error is one
        raise GalleryInvalid(f"{origin}: a pattern cannot be read: {error}") from error
    return _Level(folder, origin, tuple(patterns), spec, _any_of(spec))


def _any_of(spec: pathspec.GitIgnoreSpec) -> re.Pattern[str]:
    # Remarks have no expression. The groups' names repeat, which one expression must not.
    each = (_NAMED_GROUP.sub("(?:", one.regex.pattern) for one in spec.patterns if one.regex is not None)
    begun = (one if one.startswith("^") else f"(?s:.*){one}" for one in each)
    return re.compile("|".join(f"(?:{one})" for one in begun) or r"(?!)")
