"""The root path of a request; every URL that is answered begins with it."""

from __future__ import annotations

from contextvars import ContextVar
from urllib.parse import unquote

from starlette.types import ASGIApp, Receive, Scope, Send

from service.access.root_path import OWN_SEGMENTS, first_segment

FORWARDED_PREFIX = "inkseek.forwarded_prefix"
"""In a scope: the root path that trusted proxies say."""

_root_path: ContextVar[str] = ContextVar("root_path", default="")


def current_root_path() -> str:
    """The path that the client of this task's request has to put before the service's own; "" for none."""
    return _root_path.get()


class RootPath:
    """Makes the root path known to what answers, and takes it off paths from which the proxy did not take it."""

    def __init__(self, app: ASGIApp, configured: str) -> None:
        """`configured`: the path from the settings, which goes before what proxies say; "": theirs."""
        self._app = app
        self._configured = configured

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] == "http":
            root = self._configured or scope.get(FORWARDED_PREFIX, "")
            _root_path.set(root)
            if root and first_segment(root) not in OWN_SEGMENTS:
                # In place: the outer middleware reads from this scope which route answered.
                scope["path"] = _below(scope["path"], unquote(root))
                scope["raw_path"] = _below(scope["raw_path"].decode("latin-1"), root).encode("latin-1")
        await self._app(scope, receive, send)


def _below(path: str, root: str) -> str:
    if path == root:
        return "/"
    return path.removeprefix(root) if path.startswith(root + "/") else path
