"""The page that people draw on: static files, nothing from elsewhere."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

PAGE = Path(__file__).resolve().parents[2] / "page"

_REVALIDATE = {"Cache-Control": "no-cache"}  # a new release's page must not meet an old one's scripts

router = APIRouter(include_in_schema=False)


class PageFiles(StaticFiles):
    """Static files that clients revalidate each time."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file at `path`."""
        response = await super().get_response(path, scope)
        response.headers.update(_REVALIDATE)
        return response


@router.get("/")
def page() -> Response:
    """The drawing page."""
    return FileResponse(PAGE / "index.html", media_type="text/html", headers=_REVALIDATE)
