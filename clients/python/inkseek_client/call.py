"""A call as a value: one request and how its answer is read. Both clients send the same calls."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar
from urllib.parse import quote

from inkseek_client.schemas.base import Schema

T = TypeVar("T")
S = TypeVar("S", bound=Schema)

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
FormField = tuple[str, tuple[str | None, bytes]]
"""Name, and the file's name (None: a plain field) with its content."""


@dataclass(frozen=True)
class Call(Generic[T]):
    """One request to a route of the OpenAPI document.

    `path` begins with /v1 and is quoted. `content` or `form` is the body. `idempotent`: sending it twice does what
    sending it once does, so that it may be sent again when nobody knows whether it arrived. `of_gallery`: the route is
    there below each gallery's name, too.
    """

    method: Method
    path: str
    read: Callable[[bytes], T]
    params: tuple[tuple[str, str], ...] = ()
    content: bytes | None = None
    content_type: str | None = None
    form: tuple[FormField, ...] = ()
    idempotent: bool = True
    of_gallery: bool = True

    def path_in(self, gallery: str | None) -> str:
        """The path in a gallery; None: the default one."""
        if gallery is None or not self.of_gallery:
            return self.path
        return f"/v1/galleries/{quote(gallery, safe='')}{self.path.removeprefix('/v1')}"


def quoted(name: str) -> str:
    """An id or a name as part of a path; slashes stay, as the service's ids have them."""
    return quote(name, safe="/")


def query(**values: Any) -> tuple[tuple[str, str], ...]:
    """Query parameters: None is left out, sequences are repeated, booleans are in lower case."""
    params: list[tuple[str, str]] = []
    for name, value in values.items():
        many = [value] if isinstance(value, str) or not isinstance(value, Iterable) else value
        params += [(name, _text(one)) for one in many if one is not None]
    return tuple(params)


def form_of(fields: Mapping[str, bytes | str]) -> tuple[FormField, ...]:
    """A form: bytes are files, text is a plain field."""
    return tuple(
        (name, (name, value) if isinstance(value, bytes) else (None, value.encode())) for name, value in fields.items()
    )


def reads(schema: type[S]) -> Callable[[bytes], S]:
    """A reader of JSON answers. What it returns raises pydantic.ValidationError where an answer does not fit."""
    return schema.model_validate_json


def nothing(content: bytes) -> None:
    """Reads an answer without a body."""


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
