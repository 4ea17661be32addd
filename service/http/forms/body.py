"""A request body in any of its forms, to sketches: a form, an image, or JSON."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from models.bundle import StrokeLimits
from models.errors import InkseekError
from service.errors import BatchTooLarge, BodyInvalid
from service.http.forms.multipart import parse_multipart
from service.sketches.json_forms import batch_from_json, sketch_from_json
from service.sketches.reading import read_sketch
from service.sketches.sketch import Sketch

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


def read_single(upload: Upload, limits: StrokeLimits) -> Sketch:
    """The one sketch of a body; JSON beyond `limits` is not parsed. Raises BodyInvalid, StrokesInvalid."""
    if not upload.is_multipart:
        return read_sketch(upload.body, limits)
    fields = _sketch_fields(upload, _SINGLE_FORM_FIELDS)
    if len(fields) > 1:
        raise BodyInvalid(
            f"the form has {len(fields)} fields {SKETCH_FIELD!r}; send several sketches to /v1/search:batch"
        )
    return read_sketch(fields[0], limits)


def sketch_bytes(upload: Upload) -> bytes:
    """The one sketch of a body as it was sent, without the form around it; not read yet. Raises BodyInvalid."""
    if not upload.is_multipart:
        return upload.body
    fields = _sketch_fields(upload, _SINGLE_FORM_FIELDS)
    if len(fields) > 1:
        raise BodyInvalid(f"the form has {len(fields)} fields {SKETCH_FIELD!r}; one sketch is expected")
    return fields[0]


def read_batch(upload: Upload, max_items: int, limits: StrokeLimits) -> list[Sketch | InkseekError]:
    """The sketches of a batch body, or for each that is none the reason.

    Raises BodyInvalid when the batch itself is malformed, BatchTooLarge.
    """
    if upload.is_multipart:
        fields = _sketch_fields(upload, max_items)
        return [_or_error(partial(read_sketch, field, limits)) for field in fields]
    items = batch_from_json(upload.body, max_items)
    if not items:
        raise BodyInvalid("the batch has no items")
    if len(items) > max_items:
        raise BatchTooLarge(f"the batch has more than {max_items} items")
    return [_or_error(partial(sketch_from_json, item, limits)) for item in items]


def _sketch_fields(upload: Upload, max_fields: int) -> list[bytes]:
    parts = parse_multipart(upload.body, upload.content_type, max_fields)
    if unknown := sorted({part.name for part in parts} - {SKETCH_FIELD}):
        raise BodyInvalid(
            f"the form has a field {unknown[0][:80]!r}: sketches go in {SKETCH_FIELD!r}, parameters in the query string"
        )
    if not parts:
        raise BodyInvalid(f"the form has no field {SKETCH_FIELD!r}, or no file was chosen for it")
    return [part.data for part in parts]


def _or_error(read: Callable[[], Sketch]) -> Sketch | InkseekError:
    try:
        return read()
    except InkseekError as error:
        return error
