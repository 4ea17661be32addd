"""Text tables as spreadsheets and tools save them: their encoding and their separator."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from index_builder.errors import GalleryInvalid

SEPARATORS = (",", ";", "\t", "|")
_MARKS = (  # the longer ones first: UTF-16's mark begins UTF-32's
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_HEAD = 65_536
_LEGACY = "cp1252"


@dataclass(frozen=True)
class TextTable:
    """How a text table is written. `guessed`: it is no Unicode, and was taken for Windows' Western encoding."""

    path: Path
    encoding: str
    separator: str
    guessed: bool
    names_separator: bool

    @classmethod
    def at(cls, path: Path, column: str) -> TextTable:
        """Look at a table whose header has a column named `column`. Raises GalleryInvalid, OSError."""
        encoding, guessed = _encoding(path)
        with path.open(newline="", encoding=encoding) as file:
            first = _line(file)
            # Excel's own way of telling the separator: a line "sep=;" above the header.
            named = first[4:].strip("\r\n") if first.lower().startswith("sep=") else ""
            header = _line(file) if named else first
        separator = named if len(named) == 1 else _separator(header, column)
        return cls(path, encoding, separator, guessed, bool(named))

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """(line it ends in, cells) of the header and each row. Raises csv.Error, UnicodeDecodeError, OSError."""
        with self.path.open(newline="", encoding=self.encoding) as file:
            if self.names_separator:
                _line(file)
            # strict: an unclosed quote would swallow all further rows.
            reader = csv.reader(file, delimiter=self.separator, strict=True)
            for cells in reader:
                yield reader.line_num + self.names_separator, cells


def _line(file: IO[str]) -> str:
    return file.readline(_HEAD)


def _separator(header: str, column: str) -> str:
    for separator in SEPARATORS:
        if column in (name.strip().strip('"') for name in header.split(separator)):
            return separator
    return SEPARATORS[0]


def _encoding(path: Path) -> tuple[str, bool]:
    with path.open("rb") as file:
        head = file.read(_HEAD)
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding, False
    # ASCII in UTF-16 has a zero in every other byte; no other text has one at all.
    if len(head) > 1 and 0 in head[:2]:
        return ("utf-16-be" if head[0] == 0 else "utf-16-le"), False
    if _decodes(path, "utf-8"):
        return "utf-8", False
    if _decodes(path, _LEGACY):
        return _LEGACY, True
    raise GalleryInvalid(f"{path} cannot be read: it is neither UTF-8, UTF-16 nor Windows-1252; save it as UTF-8")


def _decodes(path: Path, encoding: str) -> bool:
    try:
        with path.open(encoding=encoding, newline="") as file:
            while file.read(_HEAD):
                pass
    except UnicodeDecodeError:
        return False
    return True
