"""A problem in place of an error that nobody foresaw, made where headers for other origins are still added.

Outside of those, a script of another origin would read "network error" in place of a 500 and its request id.
"""

from __future__ import annotations

import logging

from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.http import problems

_log = logging.getLogger("inkseek.service")


class Failures:
    """Logs what the application raises with its traceback, and answers 500."""

    def __init__(self, app: ASGIApp) -> None:
        """`app` may raise anything."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path, started = scope["path"], False  # of a gallery's path, routing sees the short one

        async def send_noted(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, send_noted)
        except ClientDisconnect:
            raise
        except Exception as error:
            answer = answer_to_unforeseen(error, scope["method"], path)
            if started:
                raise  # half an answer is out: the server has to cut the connection
            await answer(scope, receive, send)


def answer_to_unforeseen(error: BaseException, method: str, path: str) -> Response:
    """The 500 to a request that failed with this error, whose traceback is logged."""
    _log.error("%s %s failed", method, path, exc_info=error)
    return problems.internal_response()
