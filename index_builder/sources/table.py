"""A gallery's manifest: photo_path, category, optionally photo_id; every other column is filterable metadata."""

from __future__ import annotations

import csv
import math
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from index_builder.artifact.manifest import FieldType, MetadataField
from index_builder.artifact.photo_store import MetadataValue
from index_builder.errors import GalleryInvalid, ParquetUnavailable
from index_builder.report import Report

MAX_METADATA_FIELDS = 500

_PATH, _CATEGORY, _ID = "photo_path", "category", "photo_id"
_LARGEST_INTEGER = 2**63 - 1  # SQLite's; larger ones become floats
_LONGEST_INTEGER = 20

# No leading zeros: 007 is an article number, not seven.
_NUMBER = re.compile(r"^[+-]?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d{1,3})?$", re.ASCII)


@dataclass(frozen=True, slots=True)
class ManifestRow:
    """One listed photo. `category` is None when the manifest has no such column."""

    photo_path: str
    category: str | None
    photo_id: str | None
    metadata: tuple[MetadataValue, ...]


@dataclass(frozen=True)
class ManifestTable:
    """The rows of a manifest and the metadata fields that they carry, in order."""

    fields: tuple[MetadataField, ...]
    rows: tuple[ManifestRow, ...]


def read_csv(path: Path, report: Report) -> ManifestTable:
    """A comma-separated manifest in UTF-8 with a header line.

    A column whose every value is a number is one; all else is text, an empty cell is "unknown". Raises GalleryInvalid.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file, strict=True)
            header = _checked_header(path, next(reader, []))
            cells = []
            for row in reader:
                if len(row) > len(header):
                    report.skip("bad_row", f"{path.name}:{reader.line_num}", f"{len(row)} cells, {len(header)} columns")
                elif row:
                    cells.append(row + [""] * (len(header) - len(row)))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise GalleryInvalid(f"{path} cannot be read as a CSV manifest: {error}") from error
    columns = {name: [row[place].strip() for row in cells] for place, name in enumerate(header)}
    typed = {name: _typed_text(values) for name, values in columns.items() if name not in (_PATH, _CATEGORY, _ID)}
    return _table(path, columns, typed, report)


def read_parquet(path: Path, report: Report) -> ManifestTable:
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
        _checked_header(path, data.column_names)
        columns = {name: data.column(name).to_pylist() for name in data.column_names}
    except (OSError, pyarrow.ArrowException) as error:
        raise GalleryInvalid(f"{path} cannot be read as a Parquet manifest: {error}") from error
    texts = {name: [_text(value) for value in columns[name]] for name in (_PATH, _CATEGORY, _ID) if name in columns}
    typed = {name: _typed_values(path, name, values) for name, values in columns.items() if name not in texts}
    return _table(path, texts, typed, report)


def _checked_header(path: Path, header: Sequence[str]) -> list[str]:
    names = [name.strip() for name in header]
    if _PATH not in names:
        raise GalleryInvalid(f"{path} has no column {_PATH} (its columns: {', '.join(names) or 'none'})")
    repeated = sorted({name for name in names if names.count(name) > 1 or not name})
    if repeated:
        raise GalleryInvalid(f"{path}: columns need a name each, and each its own; look at {repeated}")
    if len(names) > MAX_METADATA_FIELDS:
        raise GalleryInvalid(f"{path} has {len(names)} columns; at most {MAX_METADATA_FIELDS} are read")
    return names


def _table(
    path: Path,
    texts: dict[str, list[str]],
    typed: dict[str, tuple[FieldType, list[MetadataValue]]],
    report: Report,
) -> ManifestTable:
    names = list(typed)
    rows = []
    for place, photo_path in enumerate(texts[_PATH]):
        if not photo_path:
            report.skip("bad_row", f"{path.name}, row {place + 1}", f"{_PATH} is empty")
            continue
        category = unicodedata.normalize("NFC", texts[_CATEGORY][place]) if _CATEGORY in texts else None
        photo_id = texts[_ID][place] if _ID in texts else None
        rows.append(ManifestRow(photo_path, category, photo_id, tuple(typed[name][1][place] for name in names)))
    return ManifestTable(tuple(MetadataField(name=name, type=typed[name][0]) for name in names), tuple(rows))


def _typed_text(values: list[str]) -> tuple[FieldType, list[MetadataValue]]:
    filled = [value for value in values if value]
    if filled and all(_NUMBER.match(value) for value in filled):
        return "number", [_number(value) if value else None for value in values]
    return "text", [value or None for value in values]


def _number(text: str) -> int | float | None:
    if text.lstrip("+-").isdigit() and len(text) <= _LONGEST_INTEGER and abs(int(text)) <= _LARGEST_INTEGER:
        return int(text)
    number = float(text)
    return number if math.isfinite(number) else None


def _typed_values(path: Path, name: str, values: list[Any]) -> tuple[FieldType, list[MetadataValue]]:
    kinds = {_kind(value) for value in values if value is not None} or {"text"}
    kind = kinds.pop()
    if kinds or kind is None:
        raise GalleryInvalid(f"{path}: column {name} is not all numbers, or all booleans, or all text, or all dates")
    if kind == "number":
        return kind, [_finite(value) for value in values]
    if kind == "boolean":
        return kind, list(values)
    return kind, [_text(value) or None for value in values]


def _kind(value: Any) -> FieldType | None:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float)) or hasattr(value, "as_tuple"):  # as_tuple: decimal.Decimal
        return "number"
    return "text" if isinstance(value, str) or hasattr(value, "isoformat") else None


def _finite(value: Any) -> int | float | None:
    if isinstance(value, int) and abs(value) <= _LARGEST_INTEGER:
        return value
    return float(value) if value is not None and math.isfinite(value) else None


def _text(value: Any) -> str:
    if value is None:
        return ""
    return str(value.isoformat()) if hasattr(value, "isoformat") else str(value)
