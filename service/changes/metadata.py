"""Metadata as it was sent, to values of the gallery's fields."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from index_builder.artifact import MetadataField, MetadataValue
from service.changes.errors import MetadataInvalid

_DATE = re.compile(r"\d{4}(-\d\d(-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?([+-]\d\d:\d\d|Z)?)?)?)?", re.ASCII)
_MOST_BYTES = 10_000  # of one text, and members of one list


def checked_metadata(sent: Mapping[str, Any], fields: Sequence[MetadataField]) -> dict[str, MetadataValue]:
    """Values by field; None takes a field's value away. Raises MetadataInvalid, which names every fault."""
    types = {field.name: field.type for field in fields}
    faults, values = [], {}
    for name, value in sent.items():
        if name not in types:
            known = ", ".join(types) or "none: it was built without a manifest"
            faults.append((f"metadata.{name[:80]}", f"this gallery has no such field (its fields: {known})"))
            continue
        read, expected = _READERS[types[name]]
        found = None if value is None else read(value)
        if value is not None and found is None:
            faults.append((f"metadata.{name}", f"{expected} is expected"))
        values[name] = found
    if faults:
        raise MetadataInvalid("; ".join(f"{where}: {what}" for where, what in faults), faults)
    return values


def _number(value: object) -> MetadataValue:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if math.isfinite(value) and abs(value) < 2**63 else None


def _text(value: object) -> MetadataValue:
    return value if isinstance(value, str) and value and len(value.encode("utf-8", "replace")) <= _MOST_BYTES else None


def _boolean(value: object) -> MetadataValue:
    return value if isinstance(value, bool) else None


def _date(value: object) -> MetadataValue:
    return value if isinstance(value, str) and _DATE.fullmatch(value) else None


def _list(value: object) -> MetadataValue:
    if not isinstance(value, list) or len(value) > _MOST_BYTES:
        return None
    members = [_text(member) if isinstance(member, str) else _plain(member) for member in value]
    return None if None in members else tuple(member for member in members if not isinstance(member, tuple | None))


def _plain(value: object) -> MetadataValue:
    return value if isinstance(value, bool) else _number(value)


_READERS: Mapping[str, tuple[Callable[[object], MetadataValue], str]] = {
    "number": (_number, "a number"),
    "text": (_text, f"text of at most {_MOST_BYTES:,} bytes, or null"),
    "boolean": (_boolean, "true or false"),
    "date": (_date, "a date or time as in 2026-11-20 or 2026-11-20T13:05:41Z"),
    "list": (_list, "a list of texts, numbers, true or false"),
}
