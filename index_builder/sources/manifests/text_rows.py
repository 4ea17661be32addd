"""Text tables as manifests: a header line and rows, in any separator and Unicode encoding or cp1252."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from index_builder.errors import GalleryInvalid
from index_builder.report import Note, Skipped
from index_builder.sources.manifests.cells import TextTyper
from index_builder.sources.manifests.columns import PATH, checked_header
from index_builder.sources.manifests.rows import Row
from index_builder.sources.manifests.text_files import TextTable


@dataclass(frozen=True)
class TextRows:
    """`ManifestRows` of a text table called `name`."""

    table: TextTable
    name: str
    names: tuple[str, ...]

    @classmethod
    def open(cls, path: Path, name: str) -> TextRows:
        """Read the header. Raises GalleryInvalid."""
        with _readable(name):
            table = TextTable.at(path, PATH)
            _, header = next(table.rows(), (0, list[str]()))
        return cls(table, name, tuple(checked_header(name, header)))

    @property
    def remarks(self) -> tuple[Note, ...]:
        """A note where the encoding is a guess."""
        if not self.table.guessed:
            return ()
        return (Note("encoding_guessed", self.name, "not Unicode: read as Windows-1252; UTF-8 is better", None),)

    def rows(self) -> Iterator[Row | Skipped]:
        """Each row with stripped cells; short ones are filled up. Raises GalleryInvalid."""
        with _readable(self.name):
            lines, number = self.table.rows(), 0
            next(lines, None)
            for line, cells in lines:
                if len(cells) > len(self.names):
                    detail = f"{len(cells)} cells, {len(self.names)} columns"
                    yield Skipped("bad_row", f"{self.name}:{line}", detail)
                elif cells:  # the reader gives an empty list for an empty line
                    number += 1
                    filled = [cell.strip() for cell in cells] + [""] * (len(self.names) - len(cells))
                    yield Row(f"{self.name}, row {number}", dict(zip(self.names, filled, strict=True)))

    def typer(self) -> TextTyper:
        """Where a semicolon separates the cells, the comma is left for the numbers."""
        return TextTyper(decimal_comma=self.table.separator == ";")


@contextmanager
def _readable(name: str) -> Iterator[None]:
    try:
        yield
    except (OSError, UnicodeError, csv.Error) as error:
        raise GalleryInvalid(f"{name} cannot be read as a CSV manifest: {error}") from error
