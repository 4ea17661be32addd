"""What conditions may name, and what a condition means: as SQL over photos.sqlite, and as a test of single values."""

from __future__ import annotations

import json
import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from index_builder.artifact.errors import FilterInvalid
from index_builder.artifact.filters.conditions import AnyOf, Clause, Condition
from index_builder.artifact.manifest import FieldType, MetadataField

Parameter: TypeAlias = str | int | float

# What is known of every photo. A column of that name in the gallery's own manifest comes first.
_OF_EVERY_PHOTO: Mapping[str, FieldType] = {
    "category": "text",
    "photo_id": "text",
    "width": "number",
    "height": "number",
}
_BOOLEANS = {"true": 1, "false": 0, "yes": 1, "no": 0, "1": 1, "0": 0}
_DATE = re.compile(r"^\d{4}(-\d\d(-\d\d([T ]\d\d(:\d\d(:\d\d(\.\d+)?)?)?([+-]\d\d:\d\d|Z)?)?)?)?$", re.ASCII)
_COMPARED: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}


def metadata_column(position: int) -> str:
    """Column of photos.sqlite that holds the field at `position` of the manifest's list."""
    return f"m{position}"


def clause_sql(clause: Clause, fields: Sequence[MetadataField]) -> tuple[str, tuple[Parameter, ...]]:
    """The clause as an SQL term on the photos table, with its parameters.

    A photo that lacks the field meets `!=` and `not in`, and no other comparison. Raises FilterInvalid.
    """
    if isinstance(clause, AnyOf):
        terms = [clause_sql(condition, fields) for condition in clause.conditions]
        return f"({' OR '.join(term for term, _ in terms)})", tuple(value for _, values in terms for value in values)
    column, field_type = _find(clause.field, fields)
    if clause.operator in ("=", "!=") and not clause.value:
        return f"{column} IS {'NOT ' if clause.operator == '!=' else ''}NULL", ()
    values = _typed(clause, field_type)
    term = _sql(clause, column, field_type, len(values))
    negated = clause.negated or clause.operator == "!="
    return (f"({column} IS NULL OR NOT {term})" if negated else term), values


def meets(clause: Clause, values: Mapping[str, Any], fields: Sequence[MetadataField]) -> bool:
    """Whether a photo of these values meets the clause, by the rules of `clause_sql`. Raises FilterInvalid."""
    if isinstance(clause, AnyOf):
        return any(meets(condition, values, fields) for condition in clause.conditions)
    _, field_type = _find(clause.field, fields)
    value = values.get(clause.field)
    if clause.operator in ("=", "!=") and not clause.value:
        return (value is None) == (clause.operator == "=")
    wanted = _typed(clause, field_type)
    negated = clause.negated or clause.operator == "!="
    if value is None:
        return negated
    members = value if field_type == "list" else (value,)
    return any(_holds(clause, member, wanted) for member in members) != negated


def _holds(condition: Condition, value: Any, wanted: tuple[Parameter, ...]) -> bool:
    if condition.operator == "^=":
        return str(value).startswith(str(wanted[0]))
    compare = _COMPARED.get(condition.operator, _COMPARED["="])
    return any(isinstance(value, str) == isinstance(one, str) and compare(value, one) for one in wanted)


def _sql(condition: Condition, column: str, field_type: FieldType, values: int) -> str:
    if field_type == "list":
        inner = _comparison(condition, "json_each.value", values)
        return f"EXISTS (SELECT 1 FROM json_each({column}) WHERE {inner})"
    return _comparison(condition, column, values)


def _comparison(condition: Condition, column: str, values: int) -> str:
    if condition.operator == "^=":
        # Not LIKE, which knows no difference of case and takes % and _ for signs.
        return f"instr({column}, ?) = 1"
    if condition.operator in ("in", "=", "!="):
        return f"{column} IN ({', '.join('?' * values)})"
    return f"{column} {condition.operator} ?"


def _find(name: str, fields: Sequence[MetadataField]) -> tuple[str, FieldType]:
    for position, field in enumerate(fields):
        if field.name == name:
            return metadata_column(position), field.type
    if name in _OF_EVERY_PHOTO:
        return name, _OF_EVERY_PHOTO[name]
    known = ", ".join((*(field.name for field in fields), *_OF_EVERY_PHOTO))
    raise FilterInvalid(f"photos of this gallery have no field {name!r} (fields: {known})")


def _typed(condition: Condition, field_type: FieldType) -> tuple[Parameter, ...]:
    given = condition.among if condition.operator == "in" else (condition.value,)
    if condition.operator == "^=":
        if field_type not in ("text", "date", "list"):
            raise FilterInvalid(f"{condition.field} is a {field_type}; ^= compares the beginning of text")
        return given
    if field_type in ("text", "list") and condition.operator in (">=", "<=", ">", "<"):
        raise FilterInvalid(
            f"{str(condition)!r} needs numbers or dates, but {condition.field} is "
            f"{'a list' if field_type == 'list' else 'text'} in this gallery. Where it should be a number, a cell of "
            "the manifest is none: the build's report names it"
        )
    if field_type == "list":
        # A member may be of any type: "38" is met by the text and by the number.
        return tuple(value for text in given for value in _readings(text))
    read: Mapping[FieldType, Callable[[Condition, str], Parameter]] = {
        "text": lambda _, text: text,
        "number": _number,
        "boolean": _boolean,
        "date": _date,
    }
    return tuple(read[field_type](condition, text) for text in given)


def _readings(text: str) -> tuple[Parameter, ...]:
    try:
        value = json.loads(text)
    except ValueError:
        return (text,)
    return (text, value) if isinstance(value, (int, float)) and math.isfinite(value) else (text,)


def _number(condition: Condition, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise FilterInvalid(f"{condition.field} is a number, {text!r} is not")
    return number


def _boolean(condition: Condition, text: str) -> int:
    if text.lower() not in _BOOLEANS or condition.operator in (">=", "<=", ">", "<"):
        raise FilterInvalid(f"{condition.field} is true or false; {str(condition)!r} compares it with something else")
    return _BOOLEANS[text.lower()]


def _date(condition: Condition, text: str) -> str:
    if not _DATE.match(text):
        raise FilterInvalid(f"{condition.field} is a date; {text!r} is none: write it as 2026-01-31")
    return text.replace(" ", "T")
