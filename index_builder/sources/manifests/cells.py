"""What the cells of a column are: numbers, booleans, dates, lists, or else text, by what nearly all of them are."""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, Protocol, TypeAlias

from index_builder.artifact.manifest import FieldType
from index_builder.artifact.photos.record import MetadataValue

LARGEST_INTEGER = 2**63 - 1  # SQLite's; larger ones become floats
_LONGEST_INTEGER = 20

# A column of at least this many filled cells, of which at least this share are of a type, is of that type.
_ENOUGH_CELLS, _NEARLY_ALL = 10, 0.9

# What tables write where they have no value. Among words only those of the first set mean that: "None" may be a
# material and "NA" a region, but in a column of numbers neither is a number that was meant.
_NEVER_A_WORD = frozenset(
    {"", "n/a", "#n/a", "#na", "<na>", "null", "#null!", "nan", "-", "--", "\u2013", "\u2014", "?"}
)
_PLACEHOLDERS = _NEVER_A_WORD | {
    "na",
    "n.a.",
    "n. a.",
    "k. a.",
    "k.a.",
    "none",
    "nil",
    "unknown",
    "tbd",
    ".",
    "...",
    "-nan",
}

# Spreadsheets write the truth in their user's language.
_BOOLEANS = {
    **dict.fromkeys(("true", "yes", "wahr", "ja", "vrai", "oui"), True),
    **dict.fromkeys(("false", "no", "falsch", "nein", "faux", "non"), False),
}

# No leading zeros: 007 is an article number, not seven.
_NUMBER = re.compile(r"^[+-]?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d{1,3})?$", re.ASCII)
_DECIMAL_COMMA = re.compile(r"^[+-]?(0|[1-9]\d*),\d+$", re.ASCII)
_DATE = re.compile(r"^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:?\d\d)?)?$", re.ASCII)


@dataclass(frozen=True)
class ColumnType:
    """A column's type; `read` makes a value of a cell (None: unknown). It raises ValueError for a cell of another type.

    `hindered`: of a column of text, the first cell (name of its row, content) without which it would have been of
    another type.
    """

    type: FieldType
    read: Callable[[Any], MetadataValue]
    hindered: tuple[str, str] | None = None


class ColumnTyper(Protocol):
    """Finds the type of a column whose cells pass by: it keeps counts, never the cells."""

    def add(self, row: str, cell: Any) -> None:
        """Look at the cell of the row of that name."""

    def column(self) -> ColumnType | None:
        """The type of all cells so far; None for a column of what no filter can compare."""


class _NotOfThisType(ValueError):
    """A cell is something else."""


_Parser: TypeAlias = Callable[[str], MetadataValue]


class TextTyper:
    """The type that all filled cells of stripped text have, or nine tenths of at least ten; else text.

    Placeholders ("N/A", "-", "null") are unknown values.
    """

    def __init__(self, *, decimal_comma: bool = False) -> None:
        """`decimal_comma`: 1,5 is one and a half."""
        self._parsers: dict[FieldType, _Parser] = {
            "number": _decimal_comma_number if decimal_comma else _number,
            "boolean": _boolean,
            "date": date_text,
            "list": _list,
        }
        self._filled = 0
        self._odd = dict.fromkeys(self._parsers, 0)
        self._first_odd: dict[FieldType, tuple[str, str]] = {}

    def add(self, row: str, cell: str) -> None:
        """Look at the cell of the row of that name."""
        if cell.casefold() in _PLACEHOLDERS:
            return
        self._filled += 1
        for field_type, parse in self._parsers.items():
            try:
                parse(cell)
            except ValueError:
                self._odd[field_type] += 1
                self._first_odd.setdefault(field_type, (row, cell))

    def column(self) -> ColumnType:
        """The type of all cells so far."""
        hindered: tuple[str, str] | None = None
        for field_type, parse in self._parsers.items():
            odd = self._odd[field_type]
            enough = self._filled >= _ENOUGH_CELLS and odd <= (1 - _NEARLY_ALL) * self._filled
            if enough or (self._filled and not odd):
                return ColumnType(field_type, partial(_unless_placeholder, parse))
            if odd <= self._filled / 2 and odd:
                hindered = self._first_odd[field_type]
        return ColumnType("text", _word, hindered)


def date_text(text: str) -> str:
    """An ISO 8601 date, or date and time, in the one form whose order as text is that of time; zones become UTC.

    Raises ValueError.
    """
    if not _DATE.match(text):
        raise _NotOfThisType(text)
    moment = datetime.fromisoformat(text)
    if len(text) == len("2026-01-31"):
        return text
    return moment.astimezone(UTC).isoformat() if moment.tzinfo else moment.isoformat()


def finite(value: float) -> int | float | None:
    """A number that SQLite stores and compares exactly as it stands; None for NaN and the infinities."""
    if isinstance(value, int) and abs(value) <= LARGEST_INTEGER:
        return value
    return float(value) if math.isfinite(value) else None


def _unless_placeholder(parse: _Parser, cell: str) -> MetadataValue:
    return None if cell.casefold() in _PLACEHOLDERS else parse(cell)


def _word(cell: str) -> MetadataValue:
    return None if cell.casefold() in _NEVER_A_WORD else unicodedata.normalize("NFC", cell)


def _number(text: str) -> int | float | None:
    if not _NUMBER.match(text):
        raise _NotOfThisType(text)
    if text.lstrip("+-").isdigit() and len(text) <= _LONGEST_INTEGER and abs(int(text)) <= LARGEST_INTEGER:
        return int(text)
    # "1e999" is a number by its form, but infinite: no filter could compare it.
    return finite(float(text))


def _decimal_comma_number(text: str) -> int | float | None:
    return _number(text.replace(",", ".") if _DECIMAL_COMMA.match(text) else text)


def _boolean(text: str) -> bool:
    try:
        return _BOOLEANS[text.casefold()]
    except KeyError:
        raise _NotOfThisType(text) from None


def _list(text: str) -> tuple[str | int | float | bool, ...]:
    if not text.startswith("["):
        raise _NotOfThisType(text)
    members = json.loads(text)
    if not isinstance(members, list) or not all(isinstance(member, (str, int, float)) for member in members):
        raise _NotOfThisType(text)
    return tuple(unicodedata.normalize("NFC", member) if isinstance(member, str) else member for member in members)
