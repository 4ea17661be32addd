"""What the cells of a column are: numbers, booleans, dates, lists, or else text, by what nearly all of them are."""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeAlias

from index_builder.artifact.manifest import FieldType
from index_builder.artifact.photo_store import MetadataValue

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
class TypedColumn:
    """A column's type and its values; None is an unknown value.

    `odd`: (position, content) of cells that are not of the type, and became unknown. `hindered`: of a column of text,
    the first cell without which it would have been of another type.
    """

    type: FieldType
    values: list[MetadataValue]
    odd: tuple[tuple[int, str], ...] = ()
    hindered: tuple[int, str] | None = None


class _NotOfThisType(ValueError):
    """A cell is something else."""


_Parser: TypeAlias = Callable[[str], MetadataValue]


def typed_text(cells: Sequence[str], *, decimal_comma: bool = False) -> TypedColumn:
    """A column of stripped text as the type that all of its filled cells have, or nine tenths of at least ten.

    Placeholders ("N/A", "-", "null") are unknown values. `decimal_comma`: 1,5 is one and a half.
    """
    filled = [position for position, cell in enumerate(cells) if cell.casefold() not in _PLACEHOLDERS]
    parsers: dict[FieldType, _Parser] = {
        "number": _decimal_comma_number if decimal_comma else _number,
        "boolean": _boolean,
        "date": date_text,
        "list": _list,
    }
    hindered: tuple[int, str] | None = None
    for field_type, parse in parsers.items():
        values, odd = _parsed(cells, filled, parse)
        enough = len(filled) >= _ENOUGH_CELLS and len(odd) <= (1 - _NEARLY_ALL) * len(filled)
        if enough or (filled and not odd):
            return TypedColumn(field_type, values, tuple((position, cells[position]) for position in odd))
        if len(odd) <= len(filled) / 2 and odd:
            hindered = (odd[0], cells[odd[0]])
    words: list[MetadataValue] = [
        None if cell.casefold() in _NEVER_A_WORD else unicodedata.normalize("NFC", cell) for cell in cells
    ]
    return TypedColumn("text", words, hindered=hindered)


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


def _parsed(cells: Sequence[str], filled: list[int], parse: _Parser) -> tuple[list[MetadataValue], list[int]]:
    values: list[MetadataValue] = [None] * len(cells)
    odd = []
    for position in filled:
        try:
            values[position] = parse(cells[position])
        except ValueError:
            odd.append(position)
    return values, odd


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
