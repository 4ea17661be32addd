"""What every format of manifests gives: rows that can be gone through again, and how the types of columns are found."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, Protocol

from index_builder.report import Note, Skipped
from index_builder.sources.manifests.cells import ColumnTyper


class Row(NamedTuple):
    """A row by the names of its columns; `name` says where in the manifest it stands."""

    name: str
    cells: dict[str, Any]


class ManifestRows(Protocol):
    """A manifest that was opened. Rows are read as they are drawn, each time anew."""

    @property
    def names(self) -> tuple[str, ...]:
        """Columns that the manifest declares, in order; a row may have others where a format declares none."""

    @property
    def remarks(self) -> tuple[Note, ...]:
        """What is worth knowing of the manifest as a whole."""

    def rows(self) -> Iterator[Row | Skipped]:
        """Each row in order, or why it is none. Raises GalleryInvalid."""

    def typer(self) -> ColumnTyper:
        """A new finder of a column's type."""
