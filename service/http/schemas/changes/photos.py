"""Changes of the gallery: bodies and parameters."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from service.http.schemas.base import Schema

_BINARY = {"type": "string", "format": "binary", "minLength": 1}
_CATEGORY_PATTERN = r"^(?:[^\s\x00-\x1f\x7f-\x9f](?:[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f])?)?$"
CATEGORY_SCHEMA = {
    "type": "string",
    "description": "Empty for none; no control characters, and no space before or after it.",
    "maxLength": 500,
    "pattern": _CATEGORY_PATTERN,
}
METADATA_SCHEMA = {"type": "object", "description": "Values by field; null for none."}

PHOTO_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "The photo's file, or a form with it.",
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["photo"],
                    "properties": {
                        "photo": _BINARY,
                        "category": CATEGORY_SCHEMA,
                        "metadata": {"type": "string", "description": "A JSON object: values by field."},
                    },
                    "additionalProperties": False,
                },
            },
            **{f"image/{kind}": {"schema": _BINARY} for kind in ("jpeg", "png", "webp", "avif")},
        },
    }
}
DESCRIPTION_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "What is to be changed, as a JSON merge patch (RFC 7396).",
        "content": {
            media_type: {
                "schema": {
                    "type": "object",
                    "properties": {"category": CATEGORY_SCHEMA, "metadata": METADATA_SCHEMA},
                    "additionalProperties": False,
                },
                "example": {"category": "clothing"},
            }
            for media_type in ("application/json", "application/merge-patch+json")
        },
    }
}


class PutParams(Schema):
    """What is said of a photo whose file is the whole body."""

    category: Annotated[
        str | None,
        Field(
            max_length=500,
            description="Its category, empty for none; left out: the first part of its id.",
            json_schema_extra={"pattern": _CATEGORY_PATTERN},
        ),
    ] = None
