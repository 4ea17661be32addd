"""Lists in a variable: `a, b` in place of the JSON that pydantic-settings would expect there."""

from __future__ import annotations

from typing import Annotated, TypeAlias, TypeVar

from pydantic import BeforeValidator
from pydantic_settings import NoDecode

T = TypeVar("T")


def _split(value: object) -> object:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


CommaSeparated: TypeAlias = Annotated[tuple[T, ...], NoDecode, BeforeValidator(_split)]
