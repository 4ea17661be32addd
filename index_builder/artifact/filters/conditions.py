"""Filters of a search: categories, and conditions on what is known of each photo.

A condition is `FIELD OPERATOR VALUE`; several are joined by OR. Written text is read by `parse_condition`, checked
against the gallery's fields when it is first applied, and then runs as SQL over the index and in Python over uploads.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from index_builder.artifact.errors import FilterInvalid
from index_builder.artifact.filters.words import WordFilter

Operator = Literal["=", "!=", ">=", "<=", ">", "<", "^=", "in"]
OPERATORS: tuple[str, ...] = get_args(Operator)
MAX_VALUES = 200  # of one `in`, and conditions of one OR: SQLite limits the terms of an expression

_CONDITION = re.compile(
    r"^\s*(?:\"(?P<quoted>(?:[^\"]|\"\")+)\"|(?P<field>[^=!<>^\"]+?))\s*"
    r"(?:(?P<operator>!=|>=|<=|\^=|=|>|<)|\s(?P<word>(?:not\s+)?in)\s*(?=\())\s*(?P<value>.*?)\s*$",
    re.DOTALL | re.IGNORECASE,
)
_OR = re.compile(r'"(?:[^"]|"")*"|(?P<or>\s+OR\s+)')
# What would be read as something else if it stood without quotes.
_RESERVED_IN_FIELD = re.compile(r'[=!<>^"(]|\s(OR|in)\s|^\s|\s$', re.IGNORECASE)
_RESERVED_IN_VALUE = re.compile(r'["]|\sOR\s|^[\s=]|\s$')
_VALUE = re.compile(r'\s*("(?:[^"]|"")*"|[^,"]*)\s*(?:,|$)')


@dataclass(frozen=True, slots=True)
class Condition:
    """`field operator value`, or `field in (among)`. `^=`: begins with.

    An empty value with = (or !=) matches photos without (or with) that field. `negated`: what does not meet it.
    """

    field: str
    operator: Operator
    value: str = ""
    among: tuple[str, ...] = ()
    negated: bool = False

    def __str__(self) -> str:
        """The condition as text from which `parse_condition` makes an equal one."""
        field = _quoted(self.field) if _RESERVED_IN_FIELD.search(self.field) else self.field
        if self.operator == "in":
            return f"{field} {'not ' * self.negated}in ({', '.join(map(_quoted, self.among))})"
        return f"{field}{self.operator}{_quoted(self.value) if _RESERVED_IN_VALUE.search(self.value) else self.value}"


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Conditions of which at least one has to be met."""

    conditions: tuple[Condition, ...]

    def __str__(self) -> str:
        """The conditions as text from which `parse_condition` makes equal ones."""
        return " OR ".join(map(str, self.conditions))


Clause: TypeAlias = Condition | AnyOf


@dataclass(frozen=True, slots=True)
class PhotoFilter:
    """Photos of any of `categories` (empty: of all) that meet every condition and have the `words`."""

    categories: frozenset[str] = frozenset()
    conditions: tuple[Clause, ...] = ()
    words: WordFilter | None = None

    def __bool__(self) -> bool:
        """Whether the filter excludes any photo at all."""
        return bool(self.categories) or self.looks_closer

    @property
    def looks_closer(self) -> bool:
        """Whether it may exclude some photos of a category."""
        return bool(self.conditions or self.words)


def parse_condition(text: str) -> Clause:
    """Reads `artist=openmoji`, `price>=10`, `name ^= cup`, `size in (S, M)`, `category!=shoe`, and several with OR.

    Space around field and value is ignored; a value in double quotes may hold anything. Raises FilterInvalid.
    """
    parts = [_condition(part, text) for part in _alternatives(text)]
    if len(parts) > MAX_VALUES:
        raise FilterInvalid(f"{len(parts)} conditions are joined by OR; at most {MAX_VALUES} are read")
    return parts[0] if len(parts) == 1 else AnyOf(tuple(parts))


def _condition(text: str, whole: str) -> Condition:
    match = _CONDITION.match(text)
    quoted = match and match["quoted"]
    name = match["field"] if match and quoted is None else (quoted or "").replace('""', '"')
    field = unicodedata.normalize("NFC", name).strip()
    if match is None or not field:
        raise FilterInvalid(
            f"{whole!r} is not a condition: write FIELD OPERATOR VALUE with one of {' '.join(OPERATORS)}, "
            "such as price>=10 or size in (S, M)"
        )
    value = unicodedata.normalize("NFC", match["value"])
    if match["word"]:
        return Condition(field, "in", among=_values(value, whole), negated=match["word"].lower().startswith("not"))
    operator = match["operator"]
    if not value and operator not in ("=", "!="):
        raise FilterInvalid(f"{whole!r} has no value after {operator}")
    for known in get_args(Operator):
        if operator == known:
            return Condition(field, known, _unquoted(value))
    raise FilterInvalid(f"{whole!r}: {operator} is none of {' '.join(OPERATORS)}")


def _alternatives(text: str) -> list[str]:
    """The text cut at each OR that stands outside of double quotes."""
    parts, start = [], 0
    for match in _OR.finditer(text):
        if match["or"]:
            parts.append(text[start : match.start()])
            start = match.end()
    return [*parts, text[start:]]


def _values(text: str, whole: str) -> tuple[str, ...]:
    inner = text[1:-1] if text.startswith("(") and text.endswith(")") else ""
    values, position = [], 0
    while position < len(inner):
        match = _VALUE.match(inner, position)
        if match is None or match.end() == position:
            raise FilterInvalid(f"{whole!r}: the values of `in` stand in brackets, separated by commas")
        values.append(_unquoted(match[1].strip()))
        position = match.end()
    if not any(values):
        raise FilterInvalid(f"{whole!r}: `in` needs values in brackets, such as (S, M)")
    if len(values) > MAX_VALUES:
        raise FilterInvalid(f"{whole!r} lists {len(values)} values; at most {MAX_VALUES} are read")
    return tuple(values)


def _unquoted(value: str) -> str:
    if len(value) > 1 and value[0] == value[-1] == '"':
        return value[1:-1].replace('""', '"')
    return value


def _quoted(value: str) -> str:
    return '"' + value.replace('"', '""') + '"'
