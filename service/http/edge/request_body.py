"""Bounds what request bodies take: bytes of each, bytes of all that are in memory together, and time to arrive."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from models.errors import InkseekError
from service.errors import BodiesTooLarge, BodyTimeout, BodyTooLarge
from service.http.problems import problem_response

# Bodies up to this size are not counted: the number of connections bounds them, and drawings are smaller. So those who
# send large ones can keep large ones out, and nothing else.
_SMALL_BYTES = 65_536
DRAINED_BYTES = 2**24
"""Read at most of a body that was rejected: closed with unread bytes, the connection is reset, and the client may lose
the answer."""
_DRAINED_S = 2.0


@dataclass(frozen=True)
class BodyLimits:
    """`most_bytes` of one body, `larger` for paths that end like this; `together_bytes` of all that are being answered.

    `silence_s`: longest wait for the next byte; `whole_s`: for the last.
    """

    most_bytes: int
    larger: Mapping[str, int] = field(default_factory=dict)
    together_bytes: int = 2**30
    silence_s: float = 5.0
    whole_s: float = 60.0

    def of(self, path: str) -> int:
        """Most bytes of the body of a request to `path`."""
        return next((size for end, size in self.larger.items() if path.endswith(end)), self.most_bytes)


class RequestBody:
    """Hands a body on as it arrives, and ends it at the limits, whether or not its length was announced."""

    def __init__(self, app: ASGIApp, limits: BodyLimits) -> None:
        """`limits`: for all requests of this application."""
        self._app = app
        self._limits = limits
        self._held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request; one without a body passes."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced: bytes | None = None
        for name, value in scope["headers"]:
            if name == b"content-length":
                announced = value
            elif name == b"transfer-encoding":
                announced = announced or b""
        # Without either header HTTP/1.1 has no body, but other servers of this interface may send one all the same.
        bodiless = announced is None and scope["method"] in ("GET", "HEAD", "OPTIONS")
        if bodiless or announced == b"0":
            await self._app(scope, receive, send)
            return
        body = _Arriving(self, receive, send, self._limits.of(scope["path"]))
        try:
            if announced and announced.isdigit() and (fault := self._fault(int(announced), body.most_bytes)):
                await problem_response(fault)(scope, receive, body.send)
                return
            await self._app(scope, body.receive, body.send)
        finally:
            self._held -= body.held

    def hold(self, size: int) -> None:
        """Count bytes that are in memory from now on. Raises BodiesTooLarge."""
        if self._held + size > self._limits.together_bytes:
            raise self._too_much()
        self._held += size

    @property
    def limits(self) -> BodyLimits:
        """For all requests."""
        return self._limits

    def _fault(self, announced: int, most_bytes: int) -> InkseekError | None:
        """Why a body of that length is rejected before a byte of it is read."""
        if announced > most_bytes:
            return too_large(f"{announced:,}", most_bytes)
        if announced > _SMALL_BYTES and self._held + announced > self._limits.together_bytes:
            return self._too_much()
        return None

    def _too_much(self) -> InkseekError:
        return BodiesTooLarge(
            f"the bodies of all requests being answered would have more than {self._limits.together_bytes:,} bytes"
        )


class _Arriving:
    """One body on its way in."""

    def __init__(self, shared: RequestBody, receive: Receive, send: Send, most_bytes: int) -> None:
        self.most_bytes = most_bytes
        self.held = 0
        self._shared = shared
        self._receive = receive
        self._send = send
        self._received = 0
        self._complete = False
        self._until = asyncio.get_running_loop().time() + shared.limits.whole_s

    async def receive(self) -> Message:
        """The next piece. Raises BodyTooLarge, BodyTimeout, BodiesTooLarge."""
        if self._complete:
            return await self._receive()  # for those who wait until the client is gone
        silence_s = self._shared.limits.silence_s
        left_s = self._until - asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(min(silence_s, left_s)):
                message = await self._receive()
        except TimeoutError as error:
            late = f"no byte of it came for {silence_s:g} s" if left_s > silence_s else "it took too long as a whole"
            raise BodyTimeout(f"the request body did not arrive in time: {late}") from error
        if message["type"] != "http.request":
            self._complete = True
            return message
        self._received += len(message.get("body", b""))
        self._complete = not message.get("more_body", False)
        if self._received > self.most_bytes:
            raise too_large(f"more than {self.most_bytes:,}", self.most_bytes)
        if self._received > _SMALL_BYTES:
            self._shared.hold(self._received - self.held)
            self.held = self._received
        return message

    async def send(self, message: Message) -> None:
        """Hands it on; the end of an answer waits until the rest of the body has come, or enough of it."""
        if self._complete or message["type"] != "http.response.body" or message.get("more_body", False):
            await self._send(message)
            return
        await self._send({**message, "more_body": True})
        await self._drain()
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _drain(self) -> None:
        left = DRAINED_BYTES
        try:
            async with asyncio.timeout(_DRAINED_S):
                while left > 0:
                    message = await self._receive()
                    left -= len(message.get("body", b""))
                    if not message.get("more_body", False):
                        return
        except TimeoutError:
            return


def too_large(size: str, most_bytes: int) -> InkseekError:
    """The error of a body of `size`, in words, where `most_bytes` are accepted."""
    return BodyTooLarge(f"the request body has {size} bytes; at most {most_bytes:,} are accepted")
