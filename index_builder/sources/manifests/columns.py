"""Columns of a manifest: which there must be, and the metadata type of those whose values have types already."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from index_builder.artifact.manifest import FieldType
from index_builder.artifact.photos.record import MetadataValue
from index_builder.errors import GalleryInvalid
from index_builder.sources.manifests.cells import ColumnType, date_text, finite

PATH, CATEGORY, PHOTO_ID = "photo_path", "category", "photo_id"
RESERVED = (PATH, CATEGORY, PHOTO_ID)
MAX_COLUMNS = 500  # SQLite allows 2,000 columns, but a filter over so many is more likely a mistake


def checked_header(name: str, header: Sequence[str]) -> list[str]:
    """The column names, stripped, in NFC. Raises GalleryInvalid without photo_path, or where names lack or repeat."""
    names = [unicodedata.normalize("NFC", column.strip()) for column in header]
    if PATH not in names:
        raise GalleryInvalid(f"{name} has no column {PATH} (its columns: {', '.join(names) or 'none'})")
    repeated = sorted({column for column in names if names.count(column) > 1 or not column})
    if repeated:
        raise GalleryInvalid(f"{name}: each column needs a name of its own; these repeat or are empty: {repeated}")
    checked_count(name, len(names))
    return names


def checked_count(name: str, count: int) -> None:
    """Raises GalleryInvalid where a manifest has more columns than are read."""
    if count > MAX_COLUMNS:
        raise GalleryInvalid(f"{name} has {count} columns; at most {MAX_COLUMNS} are read")


class ValueTyper:
    """The type of a column whose values have types already; where types are mixed, all of them are text.

    Dates become ISO 8601 text, lists of plain values tuples. With `text_dates`, text is a date where all of it is.
    """

    def __init__(self, *, text_dates: bool = False) -> None:
        """No value is kept but the first of each type, as text."""
        self._text_dates = text_dates
        self._first: dict[FieldType | None, tuple[str, str]] = {}

    def add(self, row: str, cell: Any) -> None:
        """Look at the value of the row of that name."""
        if cell is None or (self._text_dates and cell == ""):
            return
        field_type = _type_of(cell)
        if field_type == "text" and self._text_dates:
            field_type = "date" if _is_date(cell) else "text"
        if field_type not in self._first:
            self._first[field_type] = (row, text_of(cell))

    def column(self) -> ColumnType | None:
        """The type of all values so far; None for what no filter can compare (bytes, records, lists of lists)."""
        if None in self._first:
            return None
        types = set(self._first) or {"text"}
        if self._text_dates and "text" in types:
            types.discard("date")  # text that happens to look like one
        if len(types) > 1:
            hindered = next(first for field_type, first in self._first.items() if field_type != "text")
            return ColumnType("text", _text, hindered)
        (field_type,) = types
        assert field_type is not None
        return ColumnType(field_type, partial(_known, _READ[field_type]))


def text_of(value: Any) -> str:
    """A value as text in NFC, a date as ISO text, None as ""."""
    if value is None:
        return ""
    return unicodedata.normalize("NFC", str(value.isoformat() if hasattr(value, "isoformat") else value))


def _known(read: Callable[[Any], MetadataValue], value: Any) -> MetadataValue:
    return None if value is None or value == "" else read(value)


def _is_date(text: str) -> bool:
    try:
        return bool(date_text(text))
    except ValueError:
        return False


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
    "date": lambda value: date_text(value if isinstance(value, str) else value.isoformat()),
    "text": _text,
}
