"""The bytes of a sketch, to a sketch. The content tells JSON from images: declared types are often wrong."""

from __future__ import annotations

from typing import Any

from pydantic_core import from_json

from service.errors import BodyInvalid
from service.sketches.json_forms import sketch_from_json
from service.sketches.sketch import EncodedImage, Sketch


def read_sketch(data: bytes) -> Sketch:
    """A sketch from a request, a file, or the online store. Raises BodyInvalid, StrokesInvalid.

    An image is not decoded here, so whether it is one shows in `decode_sketch`.
    """
    start = data[:64].lstrip()
    if not start:
        raise BodyInvalid("the body is empty; send a sketch as a form field, an image, or JSON")
    if start[:1] in (b"{", b"["):
        return sketch_from_json(parse_json(data))
    return EncodedImage(data)


def parse_json(data: bytes) -> Any:
    """Any JSON value. Raises BodyInvalid."""
    try:
        return from_json(data)
    except ValueError as error:
        raise BodyInvalid(f"the body is neither an accepted image nor JSON: {error}") from error
