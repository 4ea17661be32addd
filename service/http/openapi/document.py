"""The whole document: FastAPI's, with the bodies that routes read themselves, every problem, examples and galleries."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from service.errors import GalleryAbsent, GalleryUnavailable
from service.http import problems
from service.http.openapi.request_bodies import BATCH_SCHEMA, SKETCH_FORMS
from service.http.openapi.responses import SECURITY_SCHEMES, problem_responses
from service.http.openapi.schema_refs import REF_TEMPLATE
from service.http.schemas.problem import Problem
from service.http.schemas.vector import VECTOR_EXAMPLE, vector_body
from service.http.tenancy import gallery_parameter, in_galleries


def openapi_document(
    app: FastAPI, of_gallery: Collection[str], vector: dict[str, Any] = VECTOR_EXAMPLE
) -> dict[str, Any]:
    """The whole document; made once and kept by the app. `of_gallery`: paths that galleries have, too.

    `vector`: the example of a VectorBody.
    """
    if app.openapi_schema is None:
        described = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes, tags=app.openapi_tags
        )
        _, problem = models_json_schema([(Problem, "validation")], ref_template=REF_TEMPLATE)
        _, forms = msgspec.json.schema_components(SKETCH_FORMS, ref_template=REF_TEMPLATE.replace("model", "name"))
        described["components"]["schemas"] |= problem["$defs"] | forms
        described["components"]["schemas"] |= {"BatchBody": BATCH_SCHEMA, "VectorBody": vector_body(REF_TEMPLATE)}
        described["paths"]["/v1/search:vector"]["post"]["requestBody"]["content"]["application/json"]["example"] = (
            vector
        )
        _drop_fastapis_own_errors(described)
        described["components"]["securitySchemes"] = SECURITY_SCHEMES
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
