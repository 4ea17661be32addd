"""A request body in any of its forms -> sketches as the client gave them: encoded images, or strokes."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from pydantic import ValidationError
from pydantic_core import from_json

from models.errors import InkseekError
from service.errors import BatchTooLarge, BodyInvalid
from service.http.multipart import parse_multipart
from service.http.schemas.search import ImageBody, PointsBody, PointStroke, StrokesBody

FIELD = "sketch"

_DATA_URL = re.compile(r"^data:[^,]{0,200},")
_SINGLE_FORM_FIELDS = 16  # enough to say what is wrong with a form that has a few fields too many
_FAULTS_SHOWN = 5


@dataclass(frozen=True, slots=True)
class EncodedImage:
    """An image file's bytes, of whatever format."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Strokes:
    """A vector drawing, checked for its form but not for its limits."""

    strokes: Sequence[list[list[float]] | PointStroke]


Source: TypeAlias = EncodedImage | Strokes


@dataclass(frozen=True, slots=True)
class Upload:
    """A request's body and what its header says that it is."""

    body: bytes
    content_type: str = ""

    @property
    def is_multipart(self) -> bool:
        """Only here the header has to be believed: it carries the boundary."""
        return self.content_type.lower().startswith("multipart/")


def read_source(upload: Upload) -> Source:
    """The one sketch of a body. Raises BodyInvalid."""
    if not upload.is_multipart:
        return source_from_bytes(upload.body)
    fields = _sketch_fields(upload, _SINGLE_FORM_FIELDS)
    if len(fields) > 1:
        raise BodyInvalid(f"the form has {len(fields)} fields {FIELD!r}; send several sketches to /v1/search:batch")
    return source_from_bytes(fields[0])


def read_sources(upload: Upload, max_items: int) -> list[Source | InkseekError]:
    """The sketches of a batch body, or for each that is none the reason.

    Raises BodyInvalid when the batch itself is malformed, BatchTooLarge.
    """
    if upload.is_multipart:
        return [_or_error(source_from_bytes, field) for field in _sketch_fields(upload, max_items)]
    document = _json(upload.body)
    if not isinstance(document, dict) or list(document) != ["items"] or not isinstance(document["items"], list):
        raise BodyInvalid('a batch is {"items": [...]}, each item like the JSON body of a single search')
    if not document["items"]:
        raise BodyInvalid("the batch has no items")
    if len(document["items"]) > max_items:
        raise BatchTooLarge(f"the batch has {len(document['items'])} items; at most {max_items} are accepted")
    return [_or_error(_source_from_json, item) for item in document["items"]]


def source_from_bytes(data: bytes) -> Source:
    """Tell JSON from an image by looking at it: headers of uploads are wrong too often. Raises BodyInvalid."""
    start = data[:64].lstrip()
    if not start:
        raise BodyInvalid("the body is empty; send a sketch as a form field, an image, or JSON")
    if start[:1] in (b"{", b"["):
        return _source_from_json(_json(data))
    return EncodedImage(data)


def _sketch_fields(upload: Upload, max_fields: int) -> list[bytes]:
    parts = parse_multipart(upload.body, upload.content_type, max_fields)
    if unknown := sorted({part.name for part in parts} - {FIELD}):
        raise BodyInvalid(
            f"the form has a field {unknown[0][:80]!r}: sketches go in {FIELD!r}, parameters in the query string"
        )
    if not parts:
        raise BodyInvalid(f"the form has no field {FIELD!r}")
    return [part.data for part in parts]


def _json(data: bytes) -> Any:
    try:
        return from_json(data)
    except ValueError as error:
        raise BodyInvalid(f"the body is neither an accepted image nor JSON: {error}") from error


def _source_from_json(document: Any) -> Source:
    if not isinstance(document, dict):
        raise BodyInvalid(
            f"a JSON object with image_base64, strokes or points is expected, not {type(document).__name__}"
        )
    given = [key for key in _FORMS if key in document]
    if len(given) != 1:
        found = ", ".join(map(repr, document)) or "none"
        raise BodyInvalid(f"exactly one of {', '.join(_FORMS)} is expected, not {found[:200]}")
    try:
        return _FORMS[given[0]](document)
    except ValidationError as error:
        raise _invalid(error) from error


def _image(document: dict[str, Any]) -> Source:
    return EncodedImage(_from_base64(ImageBody.model_validate(document).image_base64))


def _strokes(document: dict[str, Any]) -> Source:
    return Strokes(StrokesBody.model_validate(document).strokes)


def _points(document: dict[str, Any]) -> Source:
    return Strokes([PointsBody.model_validate(document)])


_FORMS: dict[str, Callable[[dict[str, Any]], Source]] = {
    "image_base64": _image,
    "strokes": _strokes,
    "points": _points,
}


def _from_base64(text: str) -> bytes:
    try:
        return base64.b64decode(_DATA_URL.sub("", text, count=1), validate=True)
    except (binascii.Error, ValueError) as error:
        raise BodyInvalid(f"image_base64 is not base64: {error}", [("image_base64", str(error))]) from error


def _invalid(error: ValidationError) -> BodyInvalid:
    faults = error.errors(include_url=False, include_context=False, include_input=False)[:_FAULTS_SHOWN]
    fields = [(".".join(str(part) for part in fault["loc"]), fault["msg"]) for fault in faults]
    return BodyInvalid("; ".join(f"{where}: {what}" for where, what in fields), fields)


def _or_error(read: Any, value: Any) -> Source | InkseekError:
    try:
        source: Source = read(value)
    except InkseekError as error:
        return error
    return source
