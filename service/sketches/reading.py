"""The bytes of a sketch, to a sketch. The content tells JSON from images: declared types are often wrong."""

from __future__ import annotations

import codecs

from models.bundle import StrokeLimits
from service.errors import BodyInvalid
from service.sketches.json_forms import sketch_from_json
from service.sketches.sketch import EncodedImage, Sketch
from service.sketches.stroke_forms import Order


def read_sketch(data: bytes, limits: StrokeLimits, *, ambiguous: Order | None = None) -> Sketch:
    """A sketch from a request, a file, or the online store. Raises BodyInvalid, StrokesInvalid.

    `limits`: JSON that holds more than such a drawing is not parsed. `ambiguous`: see `sketch_from_json`. An image is
    not decoded here, so whether it is one shows in `decode_sketch`.
    """
    start = data[:64].removeprefix(codecs.BOM_UTF8).lstrip()
    if not start:
        raise BodyInvalid("the body is empty; send a sketch as a form field, an image, or JSON")
    if start[:1] in (b"{", b"["):
        return sketch_from_json(data, limits, ambiguous=ambiguous)
    return EncodedImage(data)
