"""The body of a search by an embedding: its schema, whose parameters are those of the query string, and an example."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np

from models.arrays import Vectors
from service.http.schemas.base import EXAMPLE_BUNDLE_ID
from service.http.schemas.search import VectorParams

_NUMBERS = [{"type": "array", "minItems": 1, "items": {"type": "number"}}, {"type": "string"}]

VECTOR_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "The embedding of a sketch, of length 1, and maybe that of its mirror image. JSON may hold the "
        "parameters as well. As bytes (`application/octet-stream`, which has to be declared), numbers in `dtype`: the "
        "one, or both one behind the other.",
        "content": {
            "application/json": {"schema": {"$ref": "#/components/schemas/VectorBody"}},
            "application/octet-stream": {"schema": {"type": "string", "format": "binary", "minLength": 1}},
        },
    }
}


def vector_example(bundle_id: str, embedding: Vectors) -> dict[str, Any]:
    """(E,) -> a VectorBody with it, as base64 of float16: a list of a thousand numbers fills pages."""
    text = base64.b64encode(embedding.astype("<f2").tobytes()).decode()
    return {"bundle": bundle_id, "vector": text, "k": 5}


VECTOR_EXAMPLE = vector_example(EXAMPLE_BUNDLE_ID, np.full(16, 0.25, np.float32))
"""Of no bundle that there is: it shows the form."""


def vector_body(ref_template: str) -> dict[str, Any]:
    """VectorBody as OpenAPI describes it."""
    parameters: dict[str, Any] = VectorParams.model_json_schema(ref_template=ref_template)["properties"]
    del parameters["dtype"]
    for name in ("category", "filter"):
        listed = parameters[name]
        parameters[name] = {"anyOf": [listed, listed["items"]], "description": listed.pop("description")}
    described = {
        "bundle": {"type": "string", "description": "`bundle_id` of the bundle whose encoder made the vector."},
        "vector": {"anyOf": _NUMBERS, "description": "The embedding: its numbers, or base64 of them in float16."},
        "mirrored": {"anyOf": [*_NUMBERS, {"type": "null"}], "description": "That of the mirrored drawing."},
    }
    return {
        "title": "VectorBody",
        "description": "The embedding of a sketch, and the parameters of the search.",
        "type": "object",
        "required": ["bundle", "vector"],
        "properties": {**parameters, **described},
        "additionalProperties": False,
    }
