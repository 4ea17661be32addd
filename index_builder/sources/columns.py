"""Columns of a manifest: which there must be, and the metadata type of those whose values have types already."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from index_builder.artifact.manifest import FieldType
from index_builder.artifact.photo_store import MetadataValue
from index_builder.errors import GalleryInvalid
from index_builder.sources.cells import TypedColumn, date_text, finite

PATH, CATEGORY, PHOTO_ID = "photo_path", "category", "photo_id"
RESERVED = (PATH, CATEGORY, PHOTO_ID)
MAX_COLUMNS = 500  # SQLite allows 2,000 columns, but a filter over so many is more likely a mistake


def checked_header(path: Path, header: Sequence[str]) -> list[str]:
    """The column names, stripped, in NFC. Raises GalleryInvalid without photo_path, or where names lack or repeat."""
    names = [unicodedata.normalize("NFC", name.strip()) for name in header]
    if PATH not in names:
        raise GalleryInvalid(f"{path} has no column {PATH} (its columns: {', '.join(names) or 'none'})")
    repeated = sorted({name for name in names if names.count(name) > 1 or not name})
    if repeated:
        raise GalleryInvalid(f"{path}: each column needs a name of its own; these repeat or are empty: {repeated}")
    if len(names) > MAX_COLUMNS:
        raise GalleryInvalid(f"{path} has {len(names)} columns; at most {MAX_COLUMNS} are read")
    return names


def typed_values(values: Sequence[Any]) -> TypedColumn | None:
    """A column whose values have types already; where types are mixed, all of them as text.

    Dates become ISO 8601 text, lists of plain values tuples. None for a column of what no filter can compare (bytes,
    records, lists of lists).
    """
    types = {_type_of(value) for value in values if value is not None} or {"text"}
    if None in types:
        return None
    field_type = next(iter(types)) if len(types) == 1 else None
    if field_type is None:
        odd = next(position for position, value in enumerate(values) if _type_of(value) not in ("text", None))
        return TypedColumn("text", [_text(value) for value in values], hindered=(odd, text_of(values[odd])))
    read = _READ[field_type]
    return TypedColumn(field_type, [None if value is None else read(value) for value in values])


def text_of(value: Any) -> str:
    """A value as text in NFC, a date as ISO text, None as ""."""
    if value is None:
        return ""
    return unicodedata.normalize("NFC", str(value.isoformat() if hasattr(value, "isoformat") else value))


def _text(value: Any) -> MetadataValue:
    return text_of(value) or None


def _type_of(value: Any) -> FieldType | None:
    if isinstance(value, bool):  # before int, of which bool is a subclass
        return "boolean"
    if isinstance(value, (int, float)) or hasattr(value, "as_tuple"):  # as_tuple: decimal.Decimal
        return "number"
    if hasattr(value, "isoformat"):
        # A time of day has no date, so it compares with nothing but itself.
        return "date" if hasattr(value, "year") else "text"
    if isinstance(value, list):
        return "list" if all(_type_of(member) in ("boolean", "number", "text", "date") for member in value) else None
    return "text" if isinstance(value, str) else None


def _number(value: Any) -> MetadataValue:
    return finite(value if isinstance(value, int) else float(value))


def _members(values: list[Any]) -> tuple[str | int | float | bool, ...]:
    plain = (value if isinstance(value, (bool, int)) else _fraction(value) for value in values)
    return tuple(value for value in plain if value is not None)


def _fraction(value: Any) -> str | float | None:
    if isinstance(value, float) or hasattr(value, "as_tuple"):
        return float(value) if math.isfinite(value) else None
    return text_of(value)


_READ: Mapping[FieldType, Callable[[Any], MetadataValue]] = {
    "number": _number,
    "boolean": bool,
    "list": _members,
    "date": lambda value: date_text(value.isoformat()),
    "text": _text,
}
