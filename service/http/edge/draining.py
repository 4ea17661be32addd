"""Lingering close: what is left of a request's body is read once it is answered, within bounds.

A connection that is closed with unread bytes is reset, and the reset may overtake the answer: a client that sends
20 MB before it reads (as Python's `http.client` does) would see a broken connection in place of the 413.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send


@dataclass(frozen=True)
class DrainLimits:
    """Of one body, after its answer: bytes that are read, the longest wait for the next ones, and the whole time.

    What is read is dropped at once; a connection costs no more than one whose body is still awaited.
    """

    most_bytes: int = 2**28
    silence_s: float = 2.0
    whole_s: float = 30.0


class Draining:
    """Outermost: the last byte of an answer is sent at once, its end when the body has come, or enough of it."""

    def __init__(self, app: ASGIApp, limits: DrainLimits | None = None) -> None:
        """`app` may answer without reading the body."""
        self._app = app
        self._limits = limits or DrainLimits()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request; one without a body passes."""
        if scope["type"] != "http" or not _has_body(scope):
            await self._app(scope, receive, send)
            return
        arrived = withheld = False

        async def receive_counted() -> Message:
            nonlocal arrived
            message = await receive()
            arrived = arrived or message["type"] != "http.request" or not message.get("more_body", False)
            return message

        async def send_all_but_the_end(message: Message) -> None:
            nonlocal withheld
            if not arrived and message["type"] == "http.response.body" and not message.get("more_body", False):
                withheld = True
                message = {**message, "more_body": True}
            await send(message)

        await self._app(scope, receive_counted, send_all_but_the_end)
        if withheld:
            # Not within the call above: what that measures and holds is done with.
            await self._drain(receive)
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _drain(self, receive: Receive) -> None:
        limits, clock = self._limits, asyncio.get_running_loop().time
        left, until = limits.most_bytes, clock() + limits.whole_s
        while left > 0 and (left_s := until - clock()) > 0:
            try:
                async with asyncio.timeout(min(limits.silence_s, left_s)):
                    message = await receive()
            except TimeoutError:
                return
            left -= len(message.get("body", b""))
            if message["type"] != "http.request" or not message.get("more_body", False):
                return


def _has_body(scope: Scope) -> bool:
    return any(
        (name == b"content-length" and value != b"0") or name == b"transfer-encoding"
        for name, value in scope["headers"]
    )
