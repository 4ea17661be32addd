"""/docs: the reference of the API as one page, made from the OpenAPI document; it needs no network."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, Request
from starlette.responses import FileResponse, HTMLResponse, Response

from service.http.json_response import json_response
from service.http.reference.page import render
from service.http.root_path import current_root_path

router = APIRouter(include_in_schema=False)

_STATIC = Path(__file__).resolve().parents[1] / "reference" / "static"
_REVALIDATE = {"Cache-Control": "no-cache"}


@router.get("/docs")
def reference(request: Request) -> HTMLResponse:
    """The reference page."""
    origin, root = f"{request.url.scheme}://{request.url.netloc}", current_root_path()
    return HTMLResponse(render(request.app.openapi(), origin + root, root))


@router.get("/openapi.json")
def openapi(request: Request) -> Response:
    """The OpenAPI document; its server is where the client reached the service."""
    return json_response({**request.app.openapi(), "servers": [{"url": current_root_path() or "/"}]})


@router.get("/docs/style.css")
def style() -> Response:
    """Its style: a file of its own, as the content security policy wants it."""
    return FileResponse(_STATIC / "style.css", media_type="text/css", headers=_REVALIDATE)


@router.get("/docs/try_it.js")
def script() -> Response:
    """Its script, which sends the forms; from here as well."""
    return FileResponse(_STATIC / "try_it.js", media_type="text/javascript", headers=_REVALIDATE)
