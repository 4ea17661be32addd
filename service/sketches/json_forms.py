"""The JSON forms of a sketch as pydantic schemas: they check what clients, files and the online store hold.

    {"image_base64": "..."}      {"strokes": [stroke, ...]}      {"points": [{"x": 1, "y": 2}, ...]}

A stroke is rows of numbers, as Quick, Draw! has them, or an object with points.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from models.bundle import StrokesInvalid
from service.errors import BodyInvalid
from service.sketches.sketch import EncodedImage, Sketch, Strokes

STROKES_EXAMPLE: dict[str, JsonValue] = {
    "strokes": [[[60, 70, 150, 160, 60], [80, 200, 200, 80, 80]], [[158, 195, 198, 154], [100, 105, 150, 165]]]
}
POINTS_EXAMPLE: dict[str, JsonValue] = {"strokes": [{"points": [{"x": 10, "y": 10}, {"x": 90, "y": 80, "t": 16}]}]}

_DATA_URL = re.compile(r"^data:[^,]{0,200},")
_FAULTS_SHOWN = 5

Coordinate = Annotated[float, Field(allow_inf_nan=False)]
Row = Annotated[list[Coordinate], Field(min_length=1)]


class SketchSchema(BaseModel):
    """A part of a sketch in JSON: unknown fields are rejected."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Point(SketchSchema):
    """One position of the pen; y grows downwards. `t` (milliseconds) is accepted and not used."""

    x: Coordinate
    y: Coordinate
    t: Coordinate | None = None


class PointStroke(SketchSchema):
    """One stroke as a list of points."""

    points: Annotated[list[Point], Field(min_length=1)]


RowStroke = Annotated[
    list[Row],
    Field(
        min_length=2, max_length=3, description="One stroke as rows: all x, all y and optionally all t. Equally long."
    ),
]


class ImageBody(SketchSchema):
    """A picture of the sketch in base64; a `data:` URL is accepted too."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"image_base64": "data:image/png;base64,iVBORw0KGgo..."}]}
    )

    image_base64: Annotated[str, Field(min_length=1)]


class StrokesBody(SketchSchema):
    """The drawing as strokes, in any unit: it is fitted into the canvas. Both forms of a stroke may be mixed."""

    model_config = ConfigDict(json_schema_extra={"examples": [STROKES_EXAMPLE, POINTS_EXAMPLE]})

    strokes: Annotated[list[RowStroke | PointStroke], Field(min_length=1)]


class PointsBody(PointStroke):
    """The drawing as a single stroke of points."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"points": [{"x": 0, "y": 0}, {"x": 40, "y": 30, "t": 8}]}]}
    )


def sketch_from_json(document: Any) -> Sketch:
    """The sketch that a parsed JSON document is. Raises BodyInvalid, StrokesInvalid."""
    if not isinstance(document, dict):
        raise BodyInvalid(
            f"a JSON object with image_base64, strokes or points is expected, not {type(document).__name__}"
        )
    # Chosen by its key and not by a pydantic union, whose message would list the faults of every form.
    present = [key for key in _FORMS if key in document]
    if len(present) != 1:
        keys = ", ".join(map(repr, document)) or "none"
        raise BodyInvalid(f"exactly one of {', '.join(_FORMS)} is expected, not {keys[:200]}")
    try:
        return _FORMS[present[0]](document)
    except ValidationError as error:
        # Without the input, which may be megabytes of base64.
        faults = error.errors(include_url=False, include_context=False, include_input=False)[:_FAULTS_SHOWN]
        fields = [(".".join(str(part) for part in fault["loc"]), fault["msg"]) for fault in faults]
        raise BodyInvalid("; ".join(f"{where}: {what}" for where, what in fields), fields) from error


def _image(document: dict[str, Any]) -> Sketch:
    text = _DATA_URL.sub("", ImageBody.model_validate(document).image_base64, count=1)
    try:
        # Unless it validates, b64decode drops what is outside of the alphabet and decodes the rest.
        return EncodedImage(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError) as error:
        raise BodyInvalid(f"image_base64 is not base64: {error}", [("image_base64", str(error))]) from error


def _strokes(document: dict[str, Any]) -> Sketch:
    strokes = StrokesBody.model_validate(document).strokes
    return Strokes(tuple(_positions(number, stroke) for number, stroke in enumerate(strokes)))


def _points(document: dict[str, Any]) -> Sketch:
    return Strokes((_positions(0, PointsBody.model_validate(document)),))


def _positions(number: int, stroke: list[list[float]] | PointStroke) -> NDArray[np.float64]:
    """One stroke of either form -> (P, 2)."""
    if isinstance(stroke, PointStroke):
        return np.array([(point.x, point.y) for point in stroke.points], dtype=np.float64)
    if len({len(row) for row in stroke}) != 1:
        lengths = ", ".join(str(len(row)) for row in stroke)
        raise StrokesInvalid(f"stroke {number} has rows of {lengths} numbers: equal is expected")
    return np.array(stroke[:2], dtype=np.float64).T


_FORMS: dict[str, Callable[[dict[str, Any]], Sketch]] = {
    "image_base64": _image,
    "strokes": _strokes,
    "points": _points,
}
