"""/docs: the API's reference as one plain page, made from the OpenAPI document; needs no script and no network."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response

from service.http.reference import STYLE, render

router = APIRouter(include_in_schema=False)


@router.get("/docs")
def reference(request: Request) -> HTMLResponse:
    """The reference page."""
    return HTMLResponse(render(request.app.openapi(), str(request.base_url)))


@router.get("/docs/style.css")
def style() -> Response:
    """Its style: a file of its own, as the content security policy wants it."""
    return Response(STYLE, media_type="text/css")
