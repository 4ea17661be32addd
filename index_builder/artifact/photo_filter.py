"""Filters of a search: categories, and conditions on the gallery's metadata."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from index_builder.artifact.errors import FilterInvalid
from index_builder.artifact.manifest import MetadataField

Operator = Literal["=", "!=", ">=", "<=", ">", "<"]
OPERATORS: tuple[str, ...] = get_args(Operator)

_CONDITION = re.compile(r"^([^=!<>]+)(!=|>=|<=|=|>|<)(.*)$", re.DOTALL)
_BOOLEANS = {"true": 1, "false": 0, "yes": 1, "no": 0, "1": 1, "0": 0}


@dataclass(frozen=True, slots=True)
class Condition:
    """`field operator value`. An empty value with = (or !=) matches photos without (or with) that field."""

    field: str
    operator: Operator
    value: str

    def __str__(self) -> str:
        """The condition as text from which `parse_condition` makes an equal one."""
        return f"{self.field}{self.operator}{self.value}"


@dataclass(frozen=True, slots=True)
class PhotoFilter:
    """Photos of any of `categories` (empty: of all) that meet every condition."""

    categories: frozenset[str] = frozenset()
    conditions: tuple[Condition, ...] = ()

    def __bool__(self) -> bool:
        """Whether the filter excludes any photo at all."""
        return bool(self.categories or self.conditions)


def parse_condition(text: str) -> Condition:
    """Reads `"artist=openmoji"`, `"price>=10"`, `"name != cup"`; space around field and value is ignored.

    Raises FilterInvalid.
    """
    match = _CONDITION.match(text)
    field = match.group(1).strip() if match else ""
    if match is None or not field:
        raise FilterInvalid(
            f"{text!r} is not a condition: write FIELD OPERATOR VALUE with one of {' '.join(OPERATORS)}"
        )
    operator, value = match.group(2), match.group(3).strip()
    if not value and operator not in ("=", "!="):
        raise FilterInvalid(f"{text!r} has no value after {operator}")
    return Condition(field, operator, value)  # type: ignore[arg-type]  # the pattern admits operators only


def condition_sql(condition: Condition, fields: Sequence[MetadataField]) -> tuple[str, tuple[str | int | float, ...]]:
    """The condition as an SQL term on the photos table, with its parameters.

    A photo that lacks the field meets `!=` and no other comparison. Raises FilterInvalid.
    """
    column, field = _find(condition.field, fields)
    if not condition.value:
        return f"{column} IS {'NOT ' if condition.operator == '!=' else ''}NULL", ()
    value = _typed(condition, field)
    if condition.operator == "!=":
        return f"({column} IS NULL OR {column} != ?)", (value,)
    return f"{column} {condition.operator} ?", (value,)


def metadata_column(position: int) -> str:
    """Column of photos.sqlite that holds the field at `position` of the manifest's list."""
    return f"m{position}"


def _find(name: str, fields: Sequence[MetadataField]) -> tuple[str, MetadataField]:
    for position, field in enumerate(fields):
        if field.name == name:
            return metadata_column(position), field
    known = ", ".join(field.name for field in fields) or "none"
    raise FilterInvalid(f"photos of this gallery have no field {name!r} (fields: {known})")


def _typed(condition: Condition, field: MetadataField) -> str | int | float:
    if field.type == "text":
        return condition.value
    if field.type == "boolean":
        if condition.value.lower() not in _BOOLEANS or condition.operator not in ("=", "!="):
            raise FilterInvalid(f"{field.name} is true or false; {str(condition)!r} compares it with something else")
        return _BOOLEANS[condition.value.lower()]
    try:
        number = float(condition.value)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise FilterInvalid(f"{field.name} is a number, {condition.value!r} is not")
    return number
