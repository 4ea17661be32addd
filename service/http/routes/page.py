"""The page that people draw on: static files, nothing from elsewhere."""

from __future__ import annotations

import re
from pathlib import Path

from fastapi import APIRouter
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from service.http.root_path import current_root_path

PAGE = Path(__file__).resolve().parents[2] / "page"

_REVALIDATE = {"Cache-Control": "no-cache"}  # a new release's page must not meet an old one's scripts

_OWN_LINK = re.compile(r'(?<= href=")(?=page/|docs")|(?<= src=")(?=page/)')

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
    """The drawing page. Its links are relative, which holds below any path that ends with a slash."""
    root = current_root_path()
    if not root:
        return FileResponse(PAGE / "index.html", media_type="text/html", headers=_REVALIDATE)
    # Reached as `/inkseek`, without a slash at its end, relative links would lead beside it.
    html = (PAGE / "index.html").read_text(encoding="utf-8")
    return HTMLResponse(_OWN_LINK.sub(f"{root}/", html), headers=_REVALIDATE)
