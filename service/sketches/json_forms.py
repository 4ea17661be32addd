"""The JSON forms of a sketch: they check what clients, files and the online store hold.

    {"image_base64": "..."}      {"strokes": [stroke, ...]}      {"points": [{"x": 1, "y": 2}, ...]}

A stroke is rows of numbers, as Quick, Draw! has them, or an object with points. What is sent is counted before it is
parsed, and checked while it is parsed, so that the first fault ends it: a megabyte of faults costs what one does.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Annotated, Any, TypeAlias, TypeVar

import msgspec
import numpy as np
from msgspec import Meta, Raw, Struct
from numpy.typing import NDArray

from models.bundle import StrokeLimits, StrokesInvalid
from service.errors import BodyInvalid
from service.sketches.sketch import EncodedImage, Sketch, Strokes

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
_DATA_URL = re.compile(rb"data:[^,]{0,200},")
# How encoders escape the characters of base64 that HTML or JavaScript may take for something else.
_ESCAPES = ((b"\\/", b"/"), (b"\\u002b", b"+"), (b"\\u002B", b"+"), (b"\\u002f", b"/"), (b"\\u002F", b"/"),
            (b"\\u003d", b"="), (b"\\u003D", b"="))  # fmt: skip
_ABSENT = Raw(b"")
_AT = re.compile(r" - at `\$(.*)`$")


class Point(Struct, forbid_unknown_fields=True, frozen=True, gc=False):
    """One position of the pen; y grows downwards. `t` (milliseconds) is accepted and not used."""

    x: float
    y: float
    t: float | None = None


Points = Annotated[list[Point], Meta(min_length=1)]


class PointStroke(Struct, forbid_unknown_fields=True, frozen=True):
    """One stroke as a list of points."""

    points: Points


RowStroke = Annotated[
    list[Annotated[list[float], Meta(min_length=1)]],
    Meta(
        min_length=2, max_length=3, description="One stroke as rows: all x, all y and optionally all t. Equally long."
    ),
]
DrawnStrokes = Annotated[list[RowStroke | PointStroke], Meta(min_length=1)]


class ImageBody(Struct, forbid_unknown_fields=True):
    """A picture of the sketch in base64; a `data:` URL is accepted too."""

    image_base64: Annotated[str, Meta(min_length=1, examples=[IMAGE_EXAMPLE["image_base64"]])]


class StrokesBody(Struct, forbid_unknown_fields=True):
    """The drawing as strokes, in any unit: it is fitted into the canvas. Both forms of a stroke may be mixed."""

    strokes: Annotated[DrawnStrokes, Meta(examples=[STROKES_EXAMPLE["strokes"], POINTS_EXAMPLE["strokes"]])]


class PointsBody(Struct, forbid_unknown_fields=True):
    """The drawing as a single stroke of points."""

    points: Annotated[Points, Meta(examples=[SINGLE_STROKE_EXAMPLE["points"]])]


class _Form(Struct, forbid_unknown_fields=True):
    """A sketch in one of the forms, its value not yet parsed: the first key that is none of them ends the parsing."""

    image_base64: Raw = _ABSENT
    strokes: Raw = _ABSENT
    points: Raw = _ABSENT


class _Batch(Struct, forbid_unknown_fields=True):
    items: Raw


_form = msgspec.json.Decoder(_Form)
_batch = msgspec.json.Decoder(_Batch)
_strokes_of = msgspec.json.Decoder(DrawnStrokes)
_points_of = msgspec.json.Decoder(Points)


def sketch_from_json(data: bytes | Raw, limits: StrokeLimits) -> Sketch:
    """The sketch that a JSON document is. Raises BodyInvalid, StrokesInvalid.

    More marks (commas, brackets) than a drawing within `limits` has are rejected unread: memory and time are bounded
    by the limits, whatever the document holds. The limits themselves are checked where strokes are drawn.
    """
    form = _decoded(_form, data, "")
    present = [(value, read) for key, read in _FORMS.items() if bytes(value := getattr(form, key))]
    if len(present) != 1:
        raise BodyInvalid(f"exactly one of {', '.join(_FORMS)} is expected, not {len(present)} of them")
    ((value, read),) = present
    return read(value, limits)


def batch_from_json(data: bytes, max_items: int) -> list[Raw]:
    """The items of {"items": [...]}, each a document for `sketch_from_json`, not yet parsed; one more than `max_items`
    where there are more: nothing is made of the others. Raises BodyInvalid.
    """
    items = _decoded(_batch, data, "").items
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
        path = _AT.search(str(error))
        where = key + (path[1].replace("[", ".").replace("]", "") if path else "")
        what = _AT.sub("", str(error))
        raise BodyInvalid(f"{where or 'the body'}: {what}", [(where, what)] if where else []) from error
    except msgspec.DecodeError as error:
        raise BodyInvalid(f"the body is neither an accepted image nor JSON: {error}") from error
    except RecursionError as error:
        raise BodyInvalid("the JSON is nested too deeply") from error


def _image(raw: Raw, limits: StrokeLimits) -> Sketch:
    # From the document's own bytes: as text, one character outside of ASCII makes four bytes of each.
    text = bytes(raw)
    if not text.startswith(b'"'):
        raise BodyInvalid("image_base64: a string is expected", [("image_base64", "a string is expected")])
    text = text[1:-1]
    if b"\\" in text:
        for escape, character in _ESCAPES:
            text = text.replace(escape, character)
    if url := _DATA_URL.match(text):
        text = text[url.end() :]
    if not text:
        raise BodyInvalid("image_base64 is empty", [("image_base64", "it is empty")])
    try:
        # Unless it validates, b64decode drops what is outside of the alphabet and decodes the rest.
        return EncodedImage(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError) as error:
        raise BodyInvalid(f"image_base64 is not base64: {error}", [("image_base64", str(error))]) from error


def _strokes(raw: Raw, limits: StrokeLimits) -> Sketch:
    _reject_too_many(raw, limits)
    strokes = _decoded(_strokes_of, raw, "strokes")
    return Strokes(tuple(_positions(number, stroke) for number, stroke in enumerate(strokes)))


def _points(raw: Raw, limits: StrokeLimits) -> Sketch:
    _reject_too_many(raw, limits)
    return Strokes((_of_points(_decoded(_points_of, raw, "points")),))


def _positions(number: int, stroke: list[list[float]] | PointStroke) -> NDArray[np.float64]:
    """One stroke of either form -> (P, 2)."""
    if isinstance(stroke, PointStroke):
        return _of_points(stroke.points)
    if len({len(row) for row in stroke}) != 1:
        lengths = ", ".join(str(len(row)) for row in stroke)
        raise StrokesInvalid(f"stroke {number} has rows of {lengths} numbers: equal is expected")
    return np.array(stroke[:2], dtype=np.float64).T


def _of_points(points: list[Point]) -> NDArray[np.float64]:
    return np.array([(point.x, point.y) for point in points], dtype=np.float64)


_FORMS: dict[str, Callable[[Raw, StrokeLimits], Sketch]] = {
    "image_base64": _image,
    "strokes": _strokes,
    "points": _points,
}
