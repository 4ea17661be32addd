"""Which gallery a request is for, the one that its path names or the default one, and whether the caller may see it.

`/v1/galleries/NAME/REST` is answered by the routes of `/v1/REST`, served from that gallery.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast
from urllib.parse import quote

from fastapi import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from service.access.principal import EVERYBODY, Principal
from service.errors import GalleryAbsent
from service.gallery_folders import DEFAULT_GALLERY
from service.http.admission.auth import principal_of
from service.http.root_path import current_root_path
from service.runtime.galleries.open_gallery import OpenGallery
from service.runtime.process import Process
from service.search.query import unknown_name

GALLERIES_PATH = "/v1/galleries"

_NAME = "inkseek.gallery_name"
_GALLERY = "inkseek.gallery"
_PREFIX = GALLERIES_PATH + "/"


class GalleryPaths:
    """Turns a gallery's path into the short one, and leaves the gallery's name in the scope."""

    def __init__(self, app: ASGIApp) -> None:
        """`app` has the short routes."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request; other paths pass as they are."""
        if scope["type"] == "http" and scope["path"].startswith(_PREFIX):
            name, slash, rest = scope["path"].removeprefix(_PREFIX).partition("/")
            # In place: the outer middleware reads from this scope which route answered.
            if name and slash:
                scope[_NAME], scope["path"] = name, f"/v1/{rest}"
        await self._app(scope, receive, send)


def gallery_name_of(scope: Scope) -> str:
    """The gallery that a request is for, whether or not there is one of that name."""
    return cast(str, scope.get(_NAME, DEFAULT_GALLERY))


def names_gallery(scope: Scope) -> bool:
    """Whether the request's path names a gallery."""
    return _NAME in scope


def served_gallery_of(scope: Scope) -> str | None:
    """The gallery that a request was served from; None for one that was served from none."""
    gallery = scope.get(_GALLERY)
    return None if gallery is None else cast(OpenGallery, gallery).name


def gallery_of(request: Request) -> OpenGallery:
    """The gallery that the request is served from; only in routes made with `api_router`, within `gallery_lease`."""
    return cast(OpenGallery, request.scope[_GALLERY])


def serve_from(scope: Scope, gallery: OpenGallery) -> None:
    """Make a gallery, which stays open meanwhile, the one that the request is served from."""
    scope[_GALLERY] = gallery


def base_path(request: Request) -> str:
    """What the paths of the request's gallery begin with, for URLs in answers: as the client has to send them."""
    short = f"{_PREFIX}{quote(request.scope[_NAME])}" if names_gallery(request.scope) else "/v1"
    return current_root_path() + short


def tenant_of(request: Request) -> str | None:
    """Whose share of the worker threads a request takes, a gallery's and a key's; None where nobody else is served."""
    return tenant_in(cast(Process, request.app.state.process), principal_of(request), gallery_name_of(request.scope))


def tenant_in(process: Process, principal: Principal, gallery: str) -> str | None:
    """The same for a principal and the gallery of that name."""
    if principal is EVERYBODY and not process.settings.galleries:
        return None
    return f"{gallery}/{principal.key_id or ''}"


@asynccontextmanager
async def gallery_lease(request: Request) -> AsyncIterator[None]:
    """Holds the request's gallery open during the block. Raises GalleryAbsent, GalleryUnavailable, DeadlineExceeded.

    A gallery that the principal may not see is answered exactly as one that does not exist.
    """
    galleries = cast(Process, request.app.state.process).galleries
    name, principal = gallery_name_of(request.scope), principal_of(request)
    if not principal.may_see(name) or galleries.find_open(name) is None:
        visible = [other for other in await asyncio.to_thread(galleries.names) if principal.may_see(other)]
        if name not in visible:
            raise GalleryAbsent(unknown_name("gallery", name[:80], visible))
    async with galleries.lease(name) as gallery:
        serve_from(request.scope, gallery)
        yield


def in_galleries(path: str) -> str:
    """The path of a short route under a gallery of any name, as the OpenAPI document has it."""
    return f"{_PREFIX}{{gallery}}{path.removeprefix('/v1')}"


def gallery_parameter(description: str) -> dict[str, Any]:
    """The path's parameter, as the OpenAPI document has it."""
    schema = {"type": "string", "minLength": 1, "examples": ["default"]}
    return {"name": "gallery", "in": "path", "required": True, "description": description, "schema": schema}
