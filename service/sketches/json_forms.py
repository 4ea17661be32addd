"""The JSON forms of a sketch: they check what clients, files and the online store hold.

    {"image_base64": "..."}      {"strokes": [stroke, ...]}      {"points": [{"x": 1, "y": 2}, ...]}
    {"drawing": [[[x, ...], [y, ...]], ...]}, a line of Quick, Draw!

How a stroke may be written is in `stroke_forms`. What is sent is counted before it is
parsed, and checked while it is parsed, so that the first fault ends it: a megabyte of faults costs what one does.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable
from functools import lru_cache
from typing import Annotated, Any, TypeAlias, TypeVar

import msgspec
from msgspec import Meta, Raw, Struct

from models.bundle import StrokeLimits, StrokesInvalid
from service.errors import BodyInvalid
from service.sketches.base64_text import decoded_image
from service.sketches.json_faults import fault_of
from service.sketches.sketch import EncodedImage, Sketch, Strokes
from service.sketches.stroke_forms import (
    AnyStroke,
    Numbers,
    Order,
    Point,
    points_decoder,
    points_of,
    positions_of,
    rows_decoder,
    strokes_decoder,
)

T = TypeVar("T")
JsonObject: TypeAlias = dict[str, Any]

STROKES_EXAMPLE: JsonObject = {
    "strokes": [[[60, 70, 150, 160, 60], [80, 200, 200, 80, 80]], [[158, 195, 198, 154], [100, 105, 150, 165]]]
}
POINTS_EXAMPLE: JsonObject = {"strokes": [{"points": [{"x": 10, "y": 10}, {"x": 90, "y": 80, "t": 16}]}]}
IMAGE_EXAMPLE: JsonObject = {
    "image_base64": "iVBORw0KGgoAAAANSUhEUgAAABgAAAAYAQAAAADIDABVAAAARklEQVR42l3MsQ2AMBTEUP+joWQhFEZhlTAZEgOwSqQ0F"
    "IFLCxTunhwG8W4D42jLIA50s+qiUH1+3MOukYnmJGYwFpn4/TrXoBN4BZJzKQAAAABJRU5ErkJggg=="
}
SINGLE_STROKE_EXAMPLE: JsonObject = {
    "points": [{"x": 0, "y": 0}, {"x": 40, "y": 30, "t": 8}, {"x": 10, "y": 60, "t": 16}]
}

# Of an object with x, y and t, the largest form: its own bracket, and three commas.
_MARKS_PER_POINT = 4
_MARKS_PER_STROKE = 8
# How encoders escape the characters of base64 that HTML or JavaScript may take for something else, and line breaks.
_ESCAPES = ((b"\\/", b"/"), (b"\\u002b", b"+"), (b"\\u002B", b"+"), (b"\\u002f", b"/"), (b"\\u002F", b"/"),
            (b"\\u003d", b"="), (b"\\u003D", b"="),
            (b"\\n", b""), (b"\\r", b""), (b"\\t", b""))  # fmt: skip
_WIDE = (  # how a JSON document begins in encodings of two and four bytes, with their mark and without
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (b"{\0", "utf-16-le"),
    (b"\0{", "utf-16-be"),
)
_MARKS = b"".join(start for start, _ in _WIDE[:4]) + codecs.BOM_UTF8 + b" \t\r\n"
_MOST_MARKUP_BYTES = 2**22  # a data URL of SVG may hold markup, with whatever escapes; larger ones are not drawn
# For the document; what is sent may have line breaks, too. Markup in a data URL, or base64: either alphabet, filled up
# to fours or not.
IMAGE_PATTERN = (
    r"^(data:image/svg\+xml(;(charset=|utf)[A-Za-z0-9-]{0,20})?,(<|%3[Cc])[\s\S]*|(data:[^,]{0,200},)?"
    r"([A-Za-z0-9+/_-]{4})*([A-Za-z0-9+/_-]{4}|[A-Za-z0-9+/_-]{2}(==)?|[A-Za-z0-9+/_-]{3}=?))$"
)
_ABSENT = Raw(b"")


class ImageBody(Struct, forbid_unknown_fields=True):
    """A picture of the sketch in base64; a `data:` URL is accepted too."""

    image_base64: Annotated[str, Meta(min_length=2, pattern=IMAGE_PATTERN, examples=[IMAGE_EXAMPLE["image_base64"]])]


class StrokesBody(Struct, forbid_unknown_fields=True):
    """The drawing as strokes, in any unit: it is fitted into the canvas. Objects and lists may be mixed."""

    strokes: Annotated[
        list[AnyStroke], Meta(min_length=1, examples=[STROKES_EXAMPLE["strokes"], POINTS_EXAMPLE["strokes"]])
    ]


class DrawingBody(Struct, forbid_unknown_fields=True):
    """The drawing as rows of x and y, as the lines of Quick, Draw! have it; their other keys are not used."""

    drawing: Annotated[list[list[Numbers]], Meta(min_length=1)]
    word: Any = None
    countrycode: Any = None
    timestamp: Any = None
    recognized: Any = None
    key_id: Any = None


class PointsBody(Struct, forbid_unknown_fields=True):
    """The drawing as a single stroke of points."""

    points: Annotated[list[Point | Numbers], Meta(min_length=1, examples=[SINGLE_STROKE_EXAMPLE["points"]])]


class _Form(Struct, forbid_unknown_fields=True):
    """A sketch in one of the forms, its value not yet parsed: the first key that is none of them ends the parsing."""

    image_base64: Raw = _ABSENT
    strokes: Raw = _ABSENT
    points: Raw = _ABSENT
    drawing: Raw = _ABSENT
    # What else a line of Quick, Draw! says.
    word: Raw = _ABSENT
    countrycode: Raw = _ABSENT
    timestamp: Raw = _ABSENT
    recognized: Raw = _ABSENT
    key_id: Raw = _ABSENT


class _Batch(Struct, forbid_unknown_fields=True):
    items: Raw


_form = msgspec.json.Decoder(_Form)
_text = msgspec.json.Decoder(str)
_batch = msgspec.json.Decoder(_Batch)


def sketch_from_json(data: bytes | Raw, limits: StrokeLimits, *, ambiguous: Order | None = None) -> Sketch:
    """The sketch that a JSON document is. Raises BodyInvalid, StrokesInvalid.

    `ambiguous`: how strokes are read that may be rows or pairs (None: they are rejected).

    More marks (commas, brackets) than a drawing within `limits` has are rejected unread: memory and time are bounded
    by the limits, whatever the document holds. The limits themselves are checked where strokes are drawn.
    """
    form = _decoded(_form, json_in_utf8(bytes(data)), "")
    present = [(value, read) for key, read in _FORMS.items() if bytes(value := getattr(form, key))]
    if len(present) != 1:
        raise BodyInvalid(f"exactly one of {', '.join(_FORMS)} is expected, not {len(present)} of them")
    ((value, read),) = present
    return read(value, limits, ambiguous)


def looks_like_json(data: bytes) -> bool:
    """Whether the bytes begin as a JSON object or array, in any encoding of it; no image does."""
    return data[:64].lstrip(_MARKS)[:1] in (b"{", b"[")


def json_in_utf8(data: bytes) -> bytes:
    """A JSON document as msgspec reads it: Windows writes a mark before its UTF-8, or UTF-16. Raises BodyInvalid."""
    for start, encoding in _WIDE:
        if data.startswith(start):
            try:
                return data.decode(encoding).encode()
            except UnicodeError as error:
                raise BodyInvalid(f"the body is not {encoding}, as it begins: {error}") from error
    return data.removeprefix(codecs.BOM_UTF8)


def batch_from_json(data: bytes, max_items: int) -> list[Raw]:
    """The items of {"items": [...]}, each a document for `sketch_from_json`, not yet parsed; one more than `max_items`
    where there are more: nothing is made of the others. Raises BodyInvalid.
    """
    items = _decoded(_batch, json_in_utf8(data), "").items
    listed = _decoded(_items_of(max_items + 1), items, "items")
    return [item for item in msgspec.structs.astuple(listed) if bytes(item)]


@lru_cache
def _items_of(most: int) -> msgspec.json.Decoder[Struct]:
    # A list would hold whatever number is sent; of an array read as a record's fields, the rest is skipped.
    fields = [(f"item_{number}", Raw, _ABSENT) for number in range(most)]
    return msgspec.json.Decoder(msgspec.defstruct("Items", fields, array_like=True))


def _reject_too_many(value: Raw, limits: StrokeLimits) -> None:
    text = bytes(value)
    marks = text.count(b",") + text.count(b"[") + text.count(b"{")
    if marks > _MARKS_PER_POINT * limits.max_points + _MARKS_PER_STROKE * limits.max_strokes:
        raise StrokesInvalid(
            f"the drawing has {marks:,} values, more than {limits.max_strokes:,} strokes with {limits.max_points:,} "
            "points have"
        )


def _decoded(decoder: msgspec.json.Decoder[T], data: bytes | Raw, key: str) -> T:
    try:
        return decoder.decode(data)
    except msgspec.ValidationError as error:  # the first fault, where pydantic would collect them all
        where, what = fault_of(error)
        where = key + where if key else where.removeprefix(".")
        advice = f"; a sketch is one of {', '.join(_FORMS)}" if not where and decoder is _form else ""
        raise BodyInvalid(f"{where or 'the body'}: {what}{advice}", [(where, what)] if where else []) from error
    except msgspec.DecodeError as error:
        raise BodyInvalid(f"the body is neither an accepted image nor JSON: {error}") from error
    except RecursionError as error:
        raise BodyInvalid("the JSON is nested too deeply") from error


def _image(raw: Raw, limits: StrokeLimits, ambiguous: Order | None) -> Sketch:
    # From the document's own bytes: as text, one character outside of ASCII makes four bytes of each.
    text = bytes(raw)
    if not text.startswith(b'"'):
        raise BodyInvalid("image_base64: a string is expected", [("image_base64", "a string is expected")])
    text = text[1:-1]
    if text.startswith(b"data:image/svg") and len(text) < _MOST_MARKUP_BYTES:
        text = _decoded(_text, raw, "image_base64").encode(errors="replace")
    elif b"\\" in text:
        for escape, character in _ESCAPES:
            text = text.replace(escape, character)
    try:
        return EncodedImage(decoded_image(text))
    except ValueError as error:
        raise BodyInvalid(f"image_base64: {error}", [("image_base64", str(error))]) from error


def _strokes(raw: Raw, limits: StrokeLimits, ambiguous: Order | None) -> Sketch:
    _reject_too_many(raw, limits)
    strokes: list[AnyStroke] = _decoded(strokes_decoder, raw, "strokes")
    return Strokes(positions_of(strokes, otherwise=ambiguous))


def _drawing(raw: Raw, limits: StrokeLimits, ambiguous: Order | None) -> Sketch:
    _reject_too_many(raw, limits)
    rows = _decoded(rows_decoder, raw, "drawing")
    for number, stroke in enumerate(rows):
        if any(stroke) and len(stroke) not in (2, 3):
            raise StrokesInvalid(f"stroke {number} has {len(stroke)} rows: all x, all y and maybe all t are expected")
    return Strokes(positions_of([[*stroke] for stroke in rows], otherwise="rows"))


def _points(raw: Raw, limits: StrokeLimits, ambiguous: Order | None) -> Sketch:
    _reject_too_many(raw, limits)
    listed: list[Point | Numbers] = _decoded(points_decoder, raw, "points")
    points = points_of(listed)
    if not len(points):
        raise StrokesInvalid("the drawing has no points")
    return Strokes((points,))


_FORMS: dict[str, Callable[[Raw, StrokeLimits, Order | None], Sketch]] = {
    "image_base64": _image,
    "strokes": _strokes,
    "points": _points,
    "drawing": _drawing,
}
