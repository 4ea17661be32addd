"""Columns of a manifest: which there must be, and the metadata type of every other one."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

from index_builder.artifact.manifest import FieldType
from index_builder.artifact.photo_store import MetadataValue
from index_builder.errors import GalleryInvalid

PATH, CATEGORY, PHOTO_ID = "photo_path", "category", "photo_id"
RESERVED = (PATH, CATEGORY, PHOTO_ID)
MAX_COLUMNS = 500  # SQLite allows 2,000 columns, but a filter over so many is more likely a mistake

TypedColumn: TypeAlias = tuple[FieldType, list[MetadataValue]]
"""A column's type and its values; None is an unknown value."""

_LARGEST_INTEGER = 2**63 - 1  # SQLite's; larger ones become floats
_LONGEST_INTEGER = 20

# No leading zeros: 007 is an article number, not seven.
_NUMBER = re.compile(r"^[+-]?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d{1,3})?$", re.ASCII)


def checked_header(path: Path, header: Sequence[str]) -> list[str]:
    """The column names, stripped. Raises GalleryInvalid where photo_path is missing, or a name is or repeats."""
    names = [name.strip() for name in header]
    if PATH not in names:
        raise GalleryInvalid(f"{path} has no column {PATH} (its columns: {', '.join(names) or 'none'})")
    repeated = sorted({name for name in names if names.count(name) > 1 or not name})
    if repeated:
        raise GalleryInvalid(f"{path}: each column needs a name of its own; these repeat or are empty: {repeated}")
    if len(names) > MAX_COLUMNS:
        raise GalleryInvalid(f"{path} has {len(names)} columns; at most {MAX_COLUMNS} are read")
    return names


def typed_text(values: list[str]) -> TypedColumn:
    """A column of text: numbers where every filled cell is one, else text; an empty cell is an unknown value."""
    filled = [value for value in values if value]
    if filled and all(_NUMBER.match(value) for value in filled):
        return "number", [_number(value) if value else None for value in values]
    return "text", [value or None for value in values]


def typed_values(path: Path, name: str, values: list[Any]) -> TypedColumn:
    """A column whose values have types already; dates become ISO text. Raises GalleryInvalid where types are mixed."""
    types = {_type_of(value) for value in values if value is not None} or {"text"}
    field_type = types.pop()
    if types or field_type is None:
        raise GalleryInvalid(f"{path}: column {name} is not all numbers, or all booleans, or all text, or all dates")
    if field_type == "number":
        return field_type, [_finite(value) for value in values]
    if field_type == "boolean":
        return field_type, list(values)
    return field_type, [text_of(value) or None for value in values]


def text_of(value: Any) -> str:
    """A value as text, a date as ISO text, None as ""."""
    if value is None:
        return ""
    return str(value.isoformat()) if hasattr(value, "isoformat") else str(value)


def _number(text: str) -> int | float | None:
    if text.lstrip("+-").isdigit() and len(text) <= _LONGEST_INTEGER and abs(int(text)) <= _LARGEST_INTEGER:
        return int(text)
    # "1e999" is a number by its form, but infinite: no filter could compare it.
    number = float(text)
    return number if math.isfinite(number) else None


def _type_of(value: Any) -> FieldType | None:
    if isinstance(value, bool):  # before int, of which bool is a subclass
        return "boolean"
    if isinstance(value, (int, float)) or hasattr(value, "as_tuple"):  # as_tuple: decimal.Decimal
        return "number"
    return "text" if isinstance(value, str) or hasattr(value, "isoformat") else None


def _finite(value: Any) -> int | float | None:
    if isinstance(value, int) and abs(value) <= _LARGEST_INTEGER:
        return value
    return float(value) if value is not None and math.isfinite(value) else None
