"""The page that people draw on, and that of who runs the service: a document in their language, script, style sheet.

Nothing comes from elsewhere. The documents hold no data, so that they need no key; what their scripts ask for may.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import cast

from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from service.http.edge.compression import accepts_gzip
from service.http.root_path import current_root_path
from service.page_build.assets import ADMIN, BUILT, DRAWING, Asset, BuiltPage, Sources
from service.page_build.texts import choose_language

PAGE = Path(__file__).resolve().parents[2] / "page"
LANGUAGE_COOKIE = "inkseek-language"  # written by the page's language links

_REVALIDATE = {"Cache-Control": "no-cache"}  # a new release's page must not meet an old one's scripts
_FOREVER = {"Cache-Control": "public, max-age=31536000, immutable"}  # the name changes with the contents

_OWN_LINK = re.compile(r'(?<= href=")(?=page/|docs"|admin")|(?<= src=")(?=page/)')

router = APIRouter(include_in_schema=False)


class PageFiles(StaticFiles):
    """The sources of the page and its pictures, which clients revalidate each time."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file at `path`."""
        response = await super().get_response(path, scope)
        response.headers.update(_REVALIDATE)
        return response


@router.get("/")
def page(request: Request, lang: str | None = None) -> Response:
    """The drawing page: in the language of `?lang=`, else the one chosen before, else the browser's."""
    return _document(request, DRAWING, lang)


@router.get("/admin")
def admin(request: Request, lang: str | None = None) -> Response:
    """The page of who runs the service, chosen by language in the same way; its script needs the scope `admin`."""
    return _document(request, ADMIN, lang)


@router.get(f"/{BUILT}{{name}}")
def built(request: Request, name: str) -> Response:
    """The script or style sheet of that name; that of another release is not there."""
    file = next((page.files[name] for page in _built(request).values() if name in page.files), None)
    if file is None:
        raise HTTPException(404)
    return _answer(request, file, _FOREVER | {"Vary": "Accept-Encoding"})


def _document(request: Request, page: Sources, lang: str | None) -> Response:
    documents = _built(request)[page].documents
    wanted = (lang, request.cookies.get(LANGUAGE_COOKIE))
    language = choose_language(list(documents), wanted, request.headers.get("accept-language", ""))
    headers = _REVALIDATE | {"Content-Language": language, "Vary": "Accept-Encoding, Accept-Language, Cookie"}
    return _answer(request, _from_root(documents[language], current_root_path()), headers)


@lru_cache(maxsize=16)
def _from_root(document: Asset, root: str) -> Asset:
    """Links are relative, which holds below any path that ends with a slash; reached as `/inkseek`, they would not."""
    return Asset.of(_OWN_LINK.sub(f"{root}/", document.content.decode()), document.media_type) if root else document


def _built(request: Request) -> dict[Sources, BuiltPage]:
    """Put together anew when a source has changed, so that whoever works on a page only reloads it."""
    state = request.app.state
    newest = max(path.stat().st_mtime_ns for path in PAGE.rglob("*"))
    kept = cast("tuple[int, dict[Sources, BuiltPage]] | None", getattr(state, "built_pages", None))
    if kept is None or kept[0] != newest:
        kept = state.built_pages = (newest, {parts: BuiltPage.load(PAGE, parts) for parts in (DRAWING, ADMIN)})
    return kept[1]


def _answer(request: Request, asset: Asset, headers: dict[str, str]) -> Response:
    zipped = accepts_gzip(request.headers.get("accept-encoding", "").encode("latin-1"))
    # Of two forms of one file, one tag at most may promise the same bytes.
    headers = headers | {"ETag": f'{"W/" if zipped else ""}"{asset.tag}"'}
    if asset.tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    if zipped:
        return Response(asset.zipped, headers=headers | {"Content-Encoding": "gzip"}, media_type=asset.media_type)
    return Response(asset.content, headers=headers, media_type=asset.media_type)
