"""The request bodies that routes read themselves, which FastAPI cannot describe: sketches, batches, examples."""

from __future__ import annotations

import json
from typing import Any

from service.http.openapi.schema_refs import BINARY, ref
from service.http.schemas.base import EXAMPLE_OTHER_PHOTO_ID, EXAMPLE_PHOTO_ID
from service.sketches.json_forms import (
    IMAGE_EXAMPLE,
    POINTS_EXAMPLE,
    SINGLE_STROKE_EXAMPLE,
    STROKES_EXAMPLE,
    DrawingBody,
    ImageBody,
    PointsBody,
    StrokesBody,
)

# FastAPI describes only models that it parses or answers itself; these are added to the document by hand.
SKETCH_FORMS = (ImageBody, StrokesBody, PointsBody, DrawingBody)

SVG_EXAMPLE = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100" fill="none" stroke="black" stroke-width="2">'
    '<path d="M20 30 L25 90 L60 90 L66 30 Z M65 40 L82 42 L83 65 L62 72"/></svg>'
)
_RASTER_TYPES = ("image/png", "image/jpeg", "image/webp", "image/gif", "image/bmp")
_ONE_SKETCH = {"oneOf": [ref(form.__name__) for form in SKETCH_FORMS]}
BATCH_SCHEMA: dict[str, Any] = {
    "title": "BatchBody",
    "description": "Several sketches, each in one of the JSON forms of a single one.",
    "type": "object",
    "required": ["items"],
    "properties": {"items": {"type": "array", "minItems": 1, "items": _ONE_SKETCH}},
    "additionalProperties": False,
}

SKETCH_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "One sketch: a form field `sketch`, or the image itself, or JSON. The content decides, not the "
        "declared type. Any polarity, on paper or transparency; of animations the first frame.",
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["sketch"],
                    "properties": {"sketch": BINARY},
                    "additionalProperties": False,
                },
                "example": {"sketch": SVG_EXAMPLE},
            },
            **{media_type: {"schema": BINARY} for media_type in _RASTER_TYPES},
            "image/svg+xml": {"schema": {"type": "string", "minLength": 1}, "example": SVG_EXAMPLE},
            "application/json": {
                "schema": _ONE_SKETCH,
                "examples": {
                    "quickdraw": {"summary": "Strokes as Quick, Draw! has them", "value": STROKES_EXAMPLE},
                    "point_lists": {"summary": "Strokes as lists of points", "value": POINTS_EXAMPLE},
                    "points": {
                        "summary": "One stroke of points",
                        "value": SINGLE_STROKE_EXAMPLE,
                    },
                    "image_base64": {"summary": "A small PNG in base64", "value": IMAGE_EXAMPLE},
                },
            },
        },
    }
}

BATCH_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "Several sketches: JSON items, or a form with the field `sketch` repeated.",
        "content": {
            "application/json": {
                "schema": ref("BatchBody"),
                "example": {"items": [STROKES_EXAMPLE, POINTS_EXAMPLE]},
            },
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["sketch"],
                    "properties": {"sketch": {"type": "array", "items": BINARY, "minItems": 1}},
                    "additionalProperties": False,
                },
                "example": {"sketch": [SVG_EXAMPLE, SVG_EXAMPLE]},
            },
        },
    }
}

EXAMPLES_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "Examples: a `sketch` (or `strokes`, as JSON) for each, and as many `photo_id` or `photo` (a "
        "file), in the same order. Photos beyond the sketches are further ones of the category.",
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "sketch": {"type": "array", "items": BINARY, "minItems": 1},
                        "strokes": {"type": "array", "items": {"type": "string", "minLength": 2}, "minItems": 1},
                        "photo_id": {"type": "array", "items": {"type": "string"}, "minItems": 1},
                        "photo": {"type": "array", "items": BINARY, "minItems": 1},
                    },
                    "allOf": [
                        {"anyOf": [{"required": ["sketch"]}, {"required": ["strokes"]}]},
                        {"anyOf": [{"required": ["photo_id"]}, {"required": ["photo"]}]},
                    ],
                    "additionalProperties": False,
                },
                "example": {
                    "strokes": [json.dumps(drawn["strokes"]) for drawn in (STROKES_EXAMPLE, POINTS_EXAMPLE)],
                    "photo_id": [EXAMPLE_PHOTO_ID, EXAMPLE_OTHER_PHOTO_ID],
                },
            }
        },
    }
}
