"""The galleries of the service."""

from __future__ import annotations

from fastapi import Request
from starlette.responses import Response

from service.http.admission.auth import principal_of
from service.http.json_response import json_response
from service.http.openapi.responses import ok, problem_responses
from service.http.route import api_router
from service.http.schemas.galleries import GALLERIES_EXAMPLE, Galleries, gallery_json
from service.http.serving import process_of
from service.http.tenancy import GALLERIES_PATH

router = api_router("gallery", "search", of_gallery=False)


@router.get(
    GALLERIES_PATH,
    summary="List the galleries",
    response_model=Galleries,
    responses=ok("Galleries by name", GALLERIES_EXAMPLE) | problem_responses(),
)
def list_galleries(request: Request) -> Response:
    """Those that the caller may see. A closed one opens with its first request; `problem` says why one could not."""
    registry, principal = process_of(request).galleries, principal_of(request)
    names, failures = registry.names(), registry.failures
    return json_response(
        {
            "galleries": [
                gallery_json(name, registry.find_open(name), failures.get(name))
                for name in names
                if principal.may_see(name)
            ]
        }
    )
