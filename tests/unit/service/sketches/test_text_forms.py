"""Sketches as text: JSON in the encodings of Windows, base64 as encoders print it, and URLs as a canvas makes them."""

from __future__ import annotations

import base64
import codecs
import gzip
import json
from urllib.parse import quote

import pytest

from models.bundle import ImageUnsupported, StrokeLimits
from service.errors import BodyInvalid
from service.sketches.json_forms import batch_from_json
from service.sketches.reading import read_sketch
from service.sketches.sketch import EncodedImage, Strokes

LIMITS = StrokeLimits()
SVG = '<svg xmlns="http://www.w3.org/2000/svg"><path d="M1 2 L3 4" stroke="#000"/></svg>'
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
DRAWING = json.dumps({"points": [[1, 2], [3, 4]], "ü": 1}, ensure_ascii=False).replace(', "ü": 1', "")


@pytest.mark.parametrize(
    "data",
    [
        codecs.BOM_UTF8 + DRAWING.encode(),
        b" \r\n" + DRAWING.encode(),
        DRAWING.encode("utf-16"),
        codecs.BOM_UTF16_BE + DRAWING.encode("utf-16-be"),
        DRAWING.encode("utf-16-le"),
        DRAWING.encode("utf-16-be"),
        DRAWING.encode("utf-32"),
    ],
)
def test_json_in_the_encodings_of_windows(data: bytes) -> None:
    sketch = read_sketch(data, LIMITS)
    assert isinstance(sketch, Strokes)
    assert sketch.strokes[0].tolist() == [[1.0, 2.0], [3.0, 4.0]]


def test_a_batch_in_the_encodings_of_windows() -> None:
    batch = f'{{"items": [{DRAWING}]}}'
    for data in (codecs.BOM_UTF8 + batch.encode(), batch.encode("utf-16")):
        (item,) = batch_from_json(data, 3)
        assert isinstance(read_sketch(bytes(item), LIMITS), Strokes)


def test_what_begins_as_a_wide_encoding_and_is_none_is_said() -> None:
    with pytest.raises(BodyInvalid, match="not utf-16"):
        read_sketch(codecs.BOM_UTF16_LE + b"{\0\x00\xd8", LIMITS)
    assert isinstance(read_sketch(codecs.BOM_UTF16_LE + "<svg/>".encode("utf-16-le"), LIMITS), EncodedImage)


ENCODED = base64.b64encode(PNG).decode()


@pytest.mark.parametrize(
    "text",
    [
        ENCODED,
        base64.encodebytes(PNG).decode(),
        base64.encodebytes(PNG).decode().replace("\n", "\r\n"),
        base64.urlsafe_b64encode(PNG).decode(),
        ENCODED.rstrip("="),
        f"data:image/png;base64,{ENCODED}",
        f"DATA:image/png;charset=x;BASE64,{ENCODED}",
        f" data:application/octet-stream;base64,{base64.encodebytes(PNG).decode()}",
    ],
)
def test_an_image_as_text_in_json_and_as_the_body_itself(text: str) -> None:
    assert read_sketch(json.dumps({"image_base64": text}).encode(), LIMITS) == EncodedImage(PNG)
    assert read_sketch(text.encode(), LIMITS) == EncodedImage(PNG)


@pytest.mark.parametrize(
    "url",
    [
        f"data:image/svg+xml;base64,{base64.b64encode(SVG.encode()).decode()}",
        f"data:image/svg+xml,{quote(SVG)}",
        f"data:image/svg+xml;charset=utf-8,{quote(SVG, safe='<>/ =:')}",
        f"data:image/svg+xml;utf8,{SVG}",
    ],
)
def test_urls_of_svg_hold_base64_or_markup(url: str) -> None:
    assert read_sketch(json.dumps({"image_base64": url}).encode(), LIMITS) == EncodedImage(SVG.encode())
    assert read_sketch(url.encode(), LIMITS) == EncodedImage(SVG.encode())


@pytest.mark.parametrize("text", ["data:image/png;base64,", "data:image/png;base64,a*b", "iVBORw0KGgo!", "data:,"])
def test_text_that_is_no_image_is_said(text: str) -> None:
    for body in (text.encode(), json.dumps({"image_base64": text}).encode()):
        with pytest.raises(BodyInvalid, match="base64"):
            read_sketch(body, LIMITS)


def test_a_gzipped_sketch_without_its_header_is_named() -> None:
    with pytest.raises(ImageUnsupported, match="Content-Encoding: gzip"):
        read_sketch(gzip.compress(SVG.encode()), LIMITS)
