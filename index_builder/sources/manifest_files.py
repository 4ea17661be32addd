"""Manifests as files: CSV and Parquet to columns of equal length."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from index_builder.errors import GalleryInvalid, ParquetUnavailable
from index_builder.report import Skipped
from index_builder.sources.columns import RESERVED, TypedColumn, checked_header, text_of, typed_text, typed_values


@dataclass(frozen=True)
class ManifestColumns:
    """What a manifest holds: the reserved columns as text, all others typed, and rows that could not be read.

    Row i is position i of every column; `row_names[i]` says where in the file it stands.
    """

    reserved: dict[str, list[str]]
    metadata: dict[str, TypedColumn]
    row_names: list[str]
    bad_rows: tuple[Skipped, ...] = ()


def read_csv(path: Path) -> ManifestColumns:
    """A comma-separated manifest in UTF-8 with a header line. Raises GalleryInvalid.

    A column whose every value is a number is one; all else is text, an empty cell is an unknown value.
    """
    cells, bad_rows = [], []
    try:
        # utf-8-sig: spreadsheets write a byte order mark. strict: an unclosed quote would swallow all further rows.
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file, strict=True)
            header = checked_header(path, next(reader, []))
            for row in reader:
                if len(row) > len(header):
                    detail = f"{len(row)} cells, {len(header)} columns"
                    bad_rows.append(Skipped("bad_row", f"{path.name}:{reader.line_num}", detail))
                elif row:  # the reader gives an empty list for an empty line
                    cells.append(row + [""] * (len(header) - len(row)))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise GalleryInvalid(f"{path} cannot be read as a CSV manifest: {error}") from error
    columns = {name: [row[position].strip() for row in cells] for position, name in enumerate(header)}
    return ManifestColumns(
        reserved={name: columns[name] for name in RESERVED if name in columns},
        metadata={name: typed_text(values) for name, values in columns.items() if name not in RESERVED},
        row_names=_row_names(path, len(cells)),
        bad_rows=tuple(bad_rows),
    )


def read_parquet(path: Path) -> ManifestColumns:
    """A Parquet manifest; numbers, booleans, text and dates (as ISO text) keep their type.

    Raises GalleryInvalid, ParquetUnavailable.
    """
    try:
        import pyarrow  # an extra: 150 MB that a CSV manifest does not need
        import pyarrow.parquet
    except ImportError as error:
        raise ParquetUnavailable(f"{path}: reading Parquet needs pyarrow: pip install pyarrow") from error
    try:
        data = pyarrow.parquet.read_table(path)
        checked_header(path, data.column_names)
        columns = {name: data.column(name).to_pylist() for name in data.column_names}
    except (OSError, pyarrow.ArrowException) as error:
        raise GalleryInvalid(f"{path} cannot be read as a Parquet manifest: {error}") from error
    return ManifestColumns(
        reserved={name: [text_of(value) for value in columns[name]] for name in RESERVED if name in columns},
        metadata={name: typed_values(path, name, values) for name, values in columns.items() if name not in RESERVED},
        row_names=_row_names(path, data.num_rows),
    )


READERS: dict[str, Callable[[Path], ManifestColumns]] = {".csv": read_csv, ".parquet": read_parquet}
"""File extension -> what reads a manifest of that kind; a further format is added here and nowhere else."""


def _row_names(path: Path, count: int) -> list[str]:
    return [f"{path.name}, row {position + 1}" for position in range(count)]
