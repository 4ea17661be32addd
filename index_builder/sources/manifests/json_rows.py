"""JSON lines as manifests: one object per line, its keys the columns."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from index_builder.errors import GalleryInvalid
from index_builder.report import Note, Skipped
from index_builder.sources.manifests.columns import ValueTyper
from index_builder.sources.manifests.rows import Row

_LONGEST_LINE = 2**20  # a line is held in memory


@dataclass(frozen=True)
class JsonRows:
    """`ManifestRows` of a file of JSON lines called `name`; keys may differ from line to line."""

    path: Path
    name: str
    names: tuple[str, ...] = ()
    remarks: tuple[Note, ...] = ()

    @classmethod
    def open(cls, path: Path, name: str) -> JsonRows:
        """Reads nothing yet: the columns are those of all lines."""
        return cls(path, name)

    def rows(self) -> Iterator[Row | Skipped]:
        """Each object with its values; a line that is none is skipped. Raises GalleryInvalid."""
        try:
            with self.path.open("rb") as file:
                number = 0
                while line := file.readline(_LONGEST_LINE + 1):
                    number += 1
                    if len(line) > _LONGEST_LINE:
                        raise GalleryInvalid(f"{self.name}, line {number}: longer than {_LONGEST_LINE:,} bytes")
                    if line.strip():
                        yield self._row(f"{self.name}, line {number}", line)
        except OSError as error:
            raise GalleryInvalid(f"{self.name} cannot be read as JSON lines: {error}") from error

    def typer(self) -> ValueTyper:
        """By the values, which have types; JSON has none for dates."""
        return ValueTyper(text_dates=True)

    def _row(self, where: str, line: bytes) -> Row | Skipped:
        try:
            return Row(where, json_cells(line))
        except ValueError as error:
            return Skipped("bad_row", where, str(error))


def json_cells(text: bytes) -> dict[str, Any]:
    """The members of a JSON object by their names in NFC. Raises ValueError for anything else, in one line."""
    try:
        value = json.loads(text)
    except RecursionError:
        raise ValueError("brackets within brackets without end") from None
    if not isinstance(value, dict):
        raise ValueError(f"a JSON object is expected, not {type(value).__name__}")
    return {unicodedata.normalize("NFC", key.strip()): cell for key, cell in value.items()}
