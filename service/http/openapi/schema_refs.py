"""Schemas as the document refers to them."""

from __future__ import annotations

from typing import Any

REF_TEMPLATE = "#/components/schemas/{model}"

BINARY: dict[str, Any] = {"type": "string", "format": "binary", "minLength": 1}
"""A file in a body or an answer."""


def ref(name: str) -> dict[str, str]:
    """A reference to the schema of that name among the document's components."""
    return {"$ref": REF_TEMPLATE.format(model=name)}
