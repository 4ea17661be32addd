"""A request body in any of its forms, to sketches: a form, an image, or JSON."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from models.errors import InkseekError
from service.errors import BatchTooLarge, BodyInvalid
from service.http.multipart import parse_multipart
from service.sketches.json_forms import sketch_from_json
from service.sketches.reading import parse_json, read_sketch
from service.sketches.sketch import Sketch

T = TypeVar("T")

SKETCH_FIELD = "sketch"

_SINGLE_FORM_FIELDS = 16  # enough to say what is wrong with a form that has a few fields too many


@dataclass(frozen=True, slots=True)
class Upload:
    """A request's body and what its header says that it is."""

    body: bytes
    content_type: str = ""

    @property
    def is_multipart(self) -> bool:
        """Only here the header has to be believed: it carries the boundary."""
        return self.content_type.lower().startswith("multipart/")


def read_single(upload: Upload) -> Sketch:
    """The one sketch of a body. Raises BodyInvalid, StrokesInvalid."""
    if not upload.is_multipart:
        return read_sketch(upload.body)
    fields = _sketch_fields(upload, _SINGLE_FORM_FIELDS)
    if len(fields) > 1:
        raise BodyInvalid(
            f"the form has {len(fields)} fields {SKETCH_FIELD!r}; send several sketches to /v1/search:batch"
        )
    return read_sketch(fields[0])


def read_batch(upload: Upload, max_items: int) -> list[Sketch | InkseekError]:
    """The sketches of a batch body, or for each that is none the reason.

    Raises BodyInvalid when the batch itself is malformed, BatchTooLarge.
    """
    if upload.is_multipart:
        return [_or_error(read_sketch, field) for field in _sketch_fields(upload, max_items)]
    document = parse_json(upload.body)
    if not isinstance(document, dict) or list(document) != ["items"] or not isinstance(document["items"], list):
        raise BodyInvalid('a batch is {"items": [...]}, each item like the JSON body of a single search')
    if not document["items"]:
        raise BodyInvalid("the batch has no items")
    if len(document["items"]) > max_items:
        raise BatchTooLarge(f"the batch has {len(document['items'])} items; at most {max_items} are accepted")
    return [_or_error(sketch_from_json, item) for item in document["items"]]


def _sketch_fields(upload: Upload, max_fields: int) -> list[bytes]:
    parts = parse_multipart(upload.body, upload.content_type, max_fields)
    if unknown := sorted({part.name for part in parts} - {SKETCH_FIELD}):
        raise BodyInvalid(
            f"the form has a field {unknown[0][:80]!r}: sketches go in {SKETCH_FIELD!r}, parameters in the query string"
        )
    if not parts:
        raise BodyInvalid(f"the form has no field {SKETCH_FIELD!r}")
    return [part.data for part in parts]


def _or_error(read: Callable[[T], Sketch], value: T) -> Sketch | InkseekError:
    try:
        return read(value)
    except InkseekError as error:
        return error
