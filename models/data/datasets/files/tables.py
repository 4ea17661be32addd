"""CSV tables with a header, as manifests and lists of kinds are."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from models.data.datasets.records.errors import ColumnMissing


def read_table(table: Path, columns: Sequence[str]) -> list[dict[str, str]]:
    """The rows of a table that has these columns and maybe others; what a short row lacks is empty.

    Raises ColumnMissing, OSError.
    """
    with table.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        header = reader.fieldnames or ()
        if missing := [column for column in columns if column not in header]:
            raise ColumnMissing(f"{table} lacks the column {missing[0]!r}; it has {', '.join(header) or 'no header'}")
        # Surplus cells have no name and are dropped; a cell that a short row lacks is None and becomes empty.
        return [{name: value or "" for name, value in row.items() if name is not None} for row in reader]
