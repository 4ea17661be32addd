"""report.jsonl: every file that was not indexed with its reason, and what deserves a note."""

from __future__ import annotations

import json
import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, TypeAlias

SkipReason: TypeAlias = Literal[
    "bad_row",  # a manifest row that has more cells than there are columns, or names no photo
    "changed",  # an object of a store became another one while it was read, twice
    "duplicate_id",  # another photo has this id already
    "empty",  # zero bytes
    "excluded",  # a pattern of --exclude, of .inkseekignore, or of what systems put beside photos
    "hidden",  # its name, or its folder's, starts with a dot
    "missing",  # the manifest names it, but there is no such file
    "no_embedding",  # the encoder computes no usable vector for it
    "not_a_file",  # a socket, a pipe, a device, a link to a folder
    "not_an_image",  # not one of the accepted formats
    "outside_gallery",  # a link or a path that leaves the gallery's folder
    "too_large",  # more bytes or pixels than allowed
    "unreadable",  # broken, truncated, or not permitted to be read
    "unusable_name",  # cannot be a photo id: not UTF-8, control characters, too long
]
NoteReason: TypeAlias = Literal[
    "blank",  # indexed; the picture has one colour
    "column_as_text",  # a manifest's column that would be of another type but for this cell
    "column_ignored",  # a manifest's column whose values no filter can compare
    "duplicate_bytes",  # indexed; another photo has the very same bytes
    "encoding_guessed",  # the manifest is no Unicode
    "first_frame_only",  # indexed; animated or of several pages
    "near_duplicate",  # indexed; another photo looks the same: by a perceptual hash and by the embedding
    "odd_cell",  # a manifest's cell that is not of its column's type, and became unknown
    "repaired",  # indexed; the file lacks its end, or carries more text than is read
]


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that is not indexed, and why: `detail` is for people. `photo_id` is None where the file never got one."""

    reason: SkipReason
    path: str
    detail: str
    photo_id: str | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """Something worth knowing about a photo that is indexed, or about the manifest (`photo_id` None)."""

    reason: NoteReason
    path: str
    detail: str
    photo_id: str | None


class Report:
    """Writes report.jsonl line by line and counts reasons; use as a context manager."""

    def __init__(self, path: Path) -> None:
        """Opens nothing yet. `skipped` and `noted` count the entries by reason."""
        self._path = path
        self.skipped: Counter[str] = Counter()
        self.noted: Counter[str] = Counter()

    def __enter__(self) -> Report:
        """Create the file, or empty it. Raises OSError."""
        self._file = self._path.open("w", encoding="utf-8")
        return self

    def skip(self, skipped: Skipped) -> None:
        """Record a file that is not indexed."""
        self.skipped[skipped.reason] += 1
        self._write("skipped", skipped)

    def note(self, note: Note) -> None:
        """Record what is worth knowing about an indexed photo or the manifest."""
        self.noted[note.reason] += 1
        self._write("noted", note)

    def replay(self, path: Path) -> None:
        """Record every entry of another report, such as that of a part of the build. Raises OSError."""
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                entry = json.loads(line)
                (self.skipped if entry["outcome"] == "skipped" else self.noted)[entry["reason"]] += 1
                self._file.write(line)

    def _write(self, outcome: Literal["skipped", "noted"], entry: Skipped | Note) -> None:
        line: dict[str, Any] = {
            "outcome": outcome,
            "reason": entry.reason,
            "path": entry.path,
            "photo_id": entry.photo_id,
            "detail": entry.detail,
        }
        # ASCII escapes carry file names that are not valid UTF-8 as well.
        self._file.write(json.dumps(line) + "\n")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Force the file to the disk, also after an error: what was reported stays readable. Raises OSError."""
        with self._file as file:
            file.flush()
            os.fsync(file.fileno())
