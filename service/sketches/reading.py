"""The bytes of a sketch, to a sketch. The content tells JSON from images: declared types are often wrong."""

from __future__ import annotations

import codecs

from models.bundle import ImageUnsupported, StrokeLimits
from service.errors import BodyInvalid
from service.sketches.base64_text import decoded_image, is_image_text
from service.sketches.json_forms import looks_like_json, sketch_from_json
from service.sketches.sketch import EncodedImage, Sketch
from service.sketches.stroke_forms import Order

_GZIP = b"\x1f\x8b"


def read_sketch(data: bytes, limits: StrokeLimits, *, ambiguous: Order | None = None) -> Sketch:
    """A sketch from a request, a file, or the online store. Raises BodyInvalid, StrokesInvalid, ImageUnsupported.

    `limits`: JSON that holds more than such a drawing is not parsed. `ambiguous`: see `sketch_from_json`. An image is
    not decoded here, so whether it is one shows in `decode_sketch`.
    """
    start = data[:64].removeprefix(codecs.BOM_UTF8).lstrip()
    if not start:
        raise BodyInvalid("the body is empty; send a sketch as a form field, an image, or JSON")
    if looks_like_json(data):
        return sketch_from_json(data, limits, ambiguous=ambiguous)
    if start.startswith(_GZIP):
        raise ImageUnsupported("this is gzip: unpack it, or send it with Content-Encoding: gzip")
    if is_image_text(start):
        try:
            return EncodedImage(decoded_image(data.removeprefix(codecs.BOM_UTF8)))
        except ValueError as error:
            raise BodyInvalid(f"the body is an image in base64, but {error}") from error
    return EncodedImage(data)
