"""/docs: the API's reference as one plain page, made from the OpenAPI document; needs no script and no network."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response

from service.http.json_response import json_response
from service.http.reference import STYLE, render
from service.http.root_path import current_root_path

router = APIRouter(include_in_schema=False)


@router.get("/docs")
def reference(request: Request) -> HTMLResponse:
    """The reference page."""
    origin = f"{request.url.scheme}://{request.url.netloc}"
    return HTMLResponse(render(request.app.openapi(), origin + current_root_path()))


@router.get("/openapi.json")
def openapi(request: Request) -> Response:
    """The OpenAPI document; its server is where the client reached the service."""
    return json_response({**request.app.openapi(), "servers": [{"url": current_root_path() or "/"}]})


@router.get("/docs/style.css")
def style() -> Response:
    """Its style: a file of its own, as the content security policy wants it."""
    return Response(STYLE, media_type="text/css")
