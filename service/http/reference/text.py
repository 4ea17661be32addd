"""Text of the OpenAPI document as HTML."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from html import escape
from typing import Any

_RANGES = {"minimum": "at least", "maximum": "at most", "default": "default"}


def prose(text: str) -> str:
    """Escaped, with `code` set as code."""
    return re.sub(r"`([^`]*)`", r"<code>\1</code>", escape(text))


def ranges(schema: Mapping[str, Any]) -> str:
    """The limits of a parameter, in brackets; nothing where it has none."""
    facts = [f"{word} {json.dumps(schema[key])}" for key, word in _RANGES.items() if schema.get(key) not in (None, [])]
    return f" ({', '.join(facts)})" if facts else ""


def shown_json(value: Any) -> str:
    """A value as people read it, escaped."""
    return escape(json.dumps(value, indent=1, ensure_ascii=False))


def resolved(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Mapping[str, Any]:
    """A schema with its reference followed, and of one that may be null the other half."""
    if reference := schema.get("$ref"):
        return resolved(schemas[str(reference).rpartition("/")[2]], schemas)
    if options := schema.get("anyOf"):
        real = next((option for option in options if option.get("type") != "null"), options[0])
        return {**schema, **resolved(real, schemas)}
    return schema
