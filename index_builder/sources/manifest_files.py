"""Manifests as files: text tables and Parquet to columns of equal length."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from index_builder.errors import GalleryInvalid, ParquetUnavailable
from index_builder.report import Note, Skipped
from index_builder.sources.cells import TypedColumn, typed_text
from index_builder.sources.columns import PATH, RESERVED, checked_header, text_of, typed_values
from index_builder.sources.text_files import TextTable

_SHOWN = 60  # characters of a cell in the report


@dataclass(frozen=True)
class ManifestColumns:
    """What a manifest holds: the reserved columns as text, all others typed.

    Row i is position i of every column; `row_names[i]` says where in the file it stands. `remarks`: rows that could
    not be read, cells that are not of their column's type, columns that cannot be filtered by.
    """

    reserved: dict[str, list[str]]
    metadata: dict[str, TypedColumn]
    row_names: list[str]
    remarks: tuple[Skipped | Note, ...] = ()


def read_csv(path: Path) -> ManifestColumns:
    """A table with a header line, separated by commas, semicolons, tabs or bars, in any Unicode encoding or cp1252.

    Types of columns: `cells.typed_text`. Raises GalleryInvalid.
    """
    cells: list[list[str]] = []
    remarks: list[Skipped | Note] = []
    try:
        table = TextTable.at(path, PATH)
        lines = table.rows()
        header = checked_header(path, next(lines, (0, list[str]()))[1])
        for line, row in lines:
            if len(row) > len(header):
                remarks.append(Skipped("bad_row", f"{path.name}:{line}", f"{len(row)} cells, {len(header)} columns"))
            elif row:  # the reader gives an empty list for an empty line
                cells.append(row + [""] * (len(header) - len(row)))
    except (OSError, UnicodeError, csv.Error) as error:
        raise GalleryInvalid(f"{path} cannot be read as a CSV manifest: {error}") from error
    if table.guessed:
        remarks.append(Note("encoding_guessed", path.name, "not Unicode: read as Windows-1252; UTF-8 is better", None))
    columns = {name: [row[position].strip() for row in cells] for position, name in enumerate(header)}
    # Where a semicolon separates the cells, the comma is left for the numbers.
    metadata = {
        name: typed_text(values, decimal_comma=table.separator == ";")
        for name, values in columns.items()
        if name not in RESERVED
    }
    rows = _row_names(path, len(cells))
    return ManifestColumns(
        reserved={name: columns[name] for name in RESERVED if name in columns},
        metadata=metadata,
        row_names=rows,
        remarks=(*remarks, *_cell_remarks(metadata, rows)),
    )


def read_parquet(path: Path) -> ManifestColumns:
    """A Parquet manifest; numbers, booleans, text, dates and lists of them keep their type.

    Raises GalleryInvalid, ParquetUnavailable.
    """
    try:
        import pyarrow  # an extra: 150 MB that a CSV manifest does not need
        import pyarrow.parquet
    except ImportError as error:
        raise ParquetUnavailable(f"{path}: reading Parquet needs pyarrow: pip install pyarrow") from error
    try:
        data = pyarrow.parquet.read_table(path)
        names = checked_header(path, data.column_names)
        columns = {name: data.column(position).to_pylist() for position, name in enumerate(names)}
    except (OSError, pyarrow.ArrowException) as error:
        raise GalleryInvalid(f"{path} cannot be read as a Parquet manifest: {error}") from error
    typed = {name: typed_values(values) for name, values in columns.items() if name not in RESERVED}
    metadata = {name: column for name, column in typed.items() if column is not None}
    ignored = (
        Note("column_ignored", f"{path.name}, column {name}", "its values cannot be compared with a filter's", None)
        for name, column in typed.items()
        if column is None
    )
    rows = _row_names(path, data.num_rows)
    return ManifestColumns(
        reserved={name: [text_of(value) for value in columns[name]] for name in RESERVED if name in columns},
        metadata=metadata,
        row_names=rows,
        remarks=(*ignored, *_cell_remarks(metadata, rows)),
    )


READERS: dict[str, Callable[[Path], ManifestColumns]] = {
    ".csv": read_csv,
    ".tsv": read_csv,
    ".txt": read_csv,
    ".parquet": read_parquet,
}
"""File extension -> what reads a manifest of that kind; a further format is added here and nowhere else."""


def _row_names(path: Path, count: int) -> list[str]:
    return [f"{path.name}, row {position + 1}" for position in range(count)]


def _cell_remarks(columns: Mapping[str, TypedColumn], row_names: list[str]) -> Iterator[Note]:
    for name, column in columns.items():
        for position, cell in column.odd:
            detail = f"{name} is of type {column.type}, but this cell is {cell[:_SHOWN]!r}: taken as unknown"
            yield Note("odd_cell", row_names[position], detail, None)
        if column.hindered is not None:
            position, cell = column.hindered
            detail = f"the whole column {name} is text, since this cell is {cell[:_SHOWN]!r}"
            yield Note("column_as_text", row_names[position], detail, None)
