"""Turns work away before anything is done for it, when no thread would have time for it anyway."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from models.errors import InkseekError
from service.http.problems import problem_response
from service.runtime.process import Process

_WORK = ("/search", "/search:batch", "/preview", "/adapters")  # POST to paths that end like this


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
                await problem_response(error)(scope, receive, send)
                return
        await self._app(scope, receive, send)
