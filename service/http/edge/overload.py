"""Turns work away before anything is done for it, when no thread would have time for it anyway."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from models.errors import InkseekError
from service.http.problems import problem_response
from service.runtime.process import Process

_WORK = ("/search", "/search:batch", "/search:vector", "/preview", "/adapters")  # POST to paths that end like this
_TURNED_AWAY = "inkseek.turned_away"


class Overload:
    """Answers 429 before authentication, routing and validation: an overloaded service has no time for those."""

    def __init__(self, app: ASGIApp) -> None:
        """`app`: what does the work."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] == "http" and scope["method"] == "POST" and scope["path"].endswith(_WORK):
            process: Process = scope["app"].state.process
            try:
                process.workers.reject_when_full()
            except InkseekError as error:
                scope[_TURNED_AWAY] = True
                await problem_response(error)(scope, receive, send)
                return
        await self._app(scope, receive, send)


def route_turned_away(scope: Scope) -> str | None:
    """The route of a request that was turned away before routing; None for one that was not, or has a name in it."""
    path: str = scope["path"]
    if not scope.get(_TURNED_AWAY) or path.endswith("/adapters"):
        return None
    short = "/v1/" + path.rpartition("/")[2]
    # A gallery's routes share the label of the short ones, as they do behind routing.
    return short if path == short or path.startswith("/v1/galleries/") else None
