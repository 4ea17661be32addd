"""The OpenAPI document: FastAPI's, with the request bodies that routes read themselves, every problem, and examples."""

from __future__ import annotations

import copy
import json
from collections.abc import Collection
from typing import Any, TypeAlias

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from models.errors import InkseekError
from service.access.principal import Access
from service.errors import (
    AccessDenied,
    CrossSite,
    GalleryAbsent,
    GalleryUnavailable,
    HostUnknown,
    KeyInvalid,
    KeyRequired,
    ParameterInvalid,
    RateLimited,
    ReadOnly,
)
from service.http import problem_kinds, problems
from service.http.schemas.base import EXAMPLE_OTHER_PHOTO_ID, EXAMPLE_PHOTO_ID
from service.http.schemas.problem import Problem
from service.http.schemas.vector import VECTOR_EXAMPLE, vector_body
from service.http.tenancy import gallery_parameter, in_galleries
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

Responses: TypeAlias = dict[int | str, dict[str, Any]]

_REF = "#/components/schemas/{model}"
# FastAPI describes only models that it parses or answers itself; these are added to the document by hand.
_SKETCH_FORMS = (ImageBody, StrokesBody, PointsBody, DrawingBody)

_OF_EVERY_HEAD = (problem_kinds.MALFORMED, problem_kinds.HEAD_TOO_LARGE)

_SECURITY_SCHEMES = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "A key of `inkseek keys create`. A service without keys serves everybody.",
    },
    "api_key": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "The same key."},
}

SVG_EXAMPLE = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100" fill="none" stroke="black" stroke-width="2">'
    '<path d="M20 30 L25 90 L60 90 L66 30 Z M65 40 L82 42 L83 65 L62 72"/></svg>'
)
_RASTER_TYPES = ("image/png", "image/jpeg", "image/webp", "image/gif", "image/bmp")
_ONE_SKETCH = {"oneOf": [{"$ref": _REF.format(model=form.__name__)} for form in _SKETCH_FORMS]}
_BATCH_BODY = {
    "title": "BatchBody",
    "description": "Several sketches, each in one of the JSON forms of a single one.",
    "type": "object",
    "required": ["items"],
    "properties": {"items": {"type": "array", "minItems": 1, "items": _ONE_SKETCH}},
    "additionalProperties": False,
}
_BINARY = {"type": "string", "format": "binary", "minLength": 1}

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
                    "properties": {"sketch": _BINARY},
                    "additionalProperties": False,
                },
                "example": {"sketch": SVG_EXAMPLE},
            },
            **{media_type: {"schema": _BINARY} for media_type in _RASTER_TYPES},
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
                "schema": {"$ref": _REF.format(model="BatchBody")},
                "example": {"items": [STROKES_EXAMPLE, POINTS_EXAMPLE]},
            },
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["sketch"],
                    "properties": {"sketch": {"type": "array", "items": _BINARY, "minItems": 1}},
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
                        "sketch": {"type": "array", "items": _BINARY, "minItems": 1},
                        "strokes": {"type": "array", "items": {"type": "string", "minLength": 2}, "minItems": 1},
                        "photo_id": {"type": "array", "items": {"type": "string"}, "minItems": 1},
                        "photo": {"type": "array", "items": _BINARY, "minItems": 1},
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


def problem_responses(*errors: type[InkseekError]) -> Responses:
    """The `responses` of a route that may answer these errors; every route may also answer 422 and 500.

    422: a query parameter that is unknown or wrong.
    """
    kinds = dict.fromkeys(
        [*(problem_kinds.KINDS[error] for error in (*errors, ParameterInvalid)), problem_kinds.INTERNAL]
    )
    responses: Responses = {}
    for kind in kinds:
        _add_kind(responses, kind)
    return responses


def access_responses(responses: Responses, access: Access | None, *, changes: bool, posts: bool) -> Responses:
    """`responses` and how requests are answered that may not do this, or come from elsewhere.

    `changes`: the route is off in a read-only service. `posts`: it takes something else than GET.
    """
    errors: list[type[InkseekError]] = [HostUnknown]
    errors += [] if access is None else [KeyRequired, KeyInvalid, AccessDenied, RateLimited]
    errors += [ReadOnly] if changes else []
    errors += [CrossSite] if posts else []
    described = copy.deepcopy(responses)
    for kind in (*(problem_kinds.KINDS[error] for error in errors), *_OF_EVERY_HEAD):
        _add_kind(described, kind)
    return described


def security(access: Access) -> list[dict[str, list[str]]]:
    """The security of an operation that needs `access`: a key in either header, or none where there are no keys."""
    needed: list[str] = [access]
    return [*({name: needed} for name in _SECURITY_SCHEMES), {}]


def _add_kind(responses: Responses, kind: problem_kinds.Kind) -> None:
    """A status has one response in OpenAPI: kinds that share it become examples of that one."""
    media = {"schema": {"$ref": _REF.format(model="Problem")}, "examples": {}}
    response = responses.setdefault(kind.status, {"description": "", "content": {problems.MEDIA_TYPE: media}})
    response["content"][problems.MEDIA_TYPE]["examples"][kind.code] = {
        "summary": kind.title,
        "value": problems.example(kind),
    }
    response["description"] += f"{'; ' if response['description'] else ''}`{kind.code}`: {kind.title.lower()}"
    if kind.status in (429, 503):
        response["headers"] = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}}


def picture(description: str, *media_types: str) -> Responses:
    """The 200 of a route that answers something other than JSON."""
    schema = {"type": "string"} if media_types == ("text/plain",) else _BINARY
    return {
        200: {"description": description, "content": {media_type: {"schema": schema} for media_type in media_types}}
    }


def ok(description: str, example: Any) -> Responses:
    """The 200 of a JSON route, with an example."""
    return {200: {"description": description, "content": {"application/json": {"example": example}}}}


def created(description: str, example: Any) -> Responses:
    """The 201 of a JSON route, with an example."""
    return {201: {"description": description, "content": {"application/json": {"example": example}}}}


def accepted(description: str, example: Any) -> Responses:
    """The 202 of a JSON route, with an example."""
    return {202: {"description": description, "content": {"application/json": {"example": example}}}}


def document(app: FastAPI, of_gallery: Collection[str], vector: dict[str, Any] = VECTOR_EXAMPLE) -> dict[str, Any]:
    """The whole document; made once and kept by the app. `of_gallery`: paths that galleries have, too.

    `vector`: the example of a VectorBody.
    """
    if app.openapi_schema is None:
        described = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes, tags=app.openapi_tags
        )
        _, problem = models_json_schema([(Problem, "validation")], ref_template=_REF)
        _, forms = msgspec.json.schema_components(_SKETCH_FORMS, ref_template=_REF.replace("model", "name"))
        described["components"]["schemas"] |= problem["$defs"] | forms
        described["components"]["schemas"] |= {"BatchBody": _BATCH_BODY, "VectorBody": vector_body(_REF)}
        described["paths"]["/v1/search:vector"]["post"]["requestBody"]["content"]["application/json"]["example"] = (
            vector
        )
        _drop_fastapis_own_errors(described)
        described["components"]["securitySchemes"] = _SECURITY_SCHEMES
        _add_galleries(described, of_gallery)
        described["servers"] = [{"url": "/"}]
        app.openapi_schema = described
    return app.openapi_schema


def _add_galleries(described: dict[str, Any], paths: Collection[str]) -> None:
    """What any route of a gallery may answer, and each of them again below the gallery's name."""
    shared = problem_responses(GalleryAbsent, GalleryUnavailable)
    parameter = gallery_parameter("A gallery of /v1/galleries; `default` is the one of the short routes.")
    for path in sorted(paths):
        methods = described["paths"][path]
        for operation in methods.values():
            for status in (404, 503):
                _merge(operation["responses"], str(status), shared[status])
        described["paths"][in_galleries(path)] = {
            method: {
                **operation,
                "operationId": f"{operation['operationId']}_in_gallery",
                "summary": f"{operation['summary']}, in a gallery",
                "parameters": [parameter, *operation.get("parameters", [])],
            }
            for method, operation in methods.items()
        }


def _merge(responses: dict[str, Any], status: str, added: dict[str, Any]) -> None:
    known = responses.get(status)
    if known is None:
        responses[status] = added
        return
    kinds = known["content"][problems.MEDIA_TYPE]["examples"]
    responses[status] = {
        **known,
        "description": f"{known['description']}; {added['description']}",
        "content": {
            problems.MEDIA_TYPE: {
                **known["content"][problems.MEDIA_TYPE],
                "examples": {**kinds, **added["content"][problems.MEDIA_TYPE]["examples"]},
            }
        },
    }


def _drop_fastapis_own_errors(described: dict[str, Any]) -> None:
    """FastAPI promises its own 422 wherever a route takes any parameter, even one that cannot be wrong."""
    for methods in described["paths"].values():
        for operation in methods.values():
            if "HTTPValidationError" in str(operation["responses"].get("422")):
                del operation["responses"]["422"]
    for name in ("HTTPValidationError", "ValidationError"):
        described["components"]["schemas"].pop(name, None)
