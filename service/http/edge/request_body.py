"""Bounds what request bodies take: bytes of each, bytes of all that are in memory together, and time to arrive."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from models.errors import InkseekError
from service.errors import BodiesTooLarge, BodyTimeout, BodyTooLarge
from service.http.edge.content_coding import Decoder, coding_of
from service.http.problems import problem_response

# Bodies up to this size are not counted: the number of connections bounds them, and drawings are smaller. So those who
# send large ones can keep large ones out, and nothing else.
_SMALL_BYTES = 65_536


@dataclass(frozen=True)
class BodyLimits:
    """`most_bytes` of one body, `of_paths` that end like this; `together_bytes` of all that are being answered.

    `silence_s`: longest wait for the next byte; `whole_s`: for the last.
    """

    most_bytes: int
    of_paths: Mapping[str, int] = field(default_factory=dict)
    together_bytes: int = 2**30
    silence_s: float = 5.0
    whole_s: float = 60.0

    def of(self, path: str) -> int:
        """Most bytes of the body of a request to `path`."""
        return next((size for end, size in self.of_paths.items() if path.endswith(end)), self.most_bytes)


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
        announced, codings = _described(scope)
        # Without either header HTTP/1.1 has no body, but other servers of this interface may send one all the same.
        bodiless = announced is None and scope["method"] in ("GET", "HEAD", "OPTIONS")
        if bodiless or announced == b"0":
            await self._app(scope, receive, send)
            return
        try:
            body = self._awaited(receive, self._limits.of(scope["path"]), announced or b"", codings)
        except InkseekError as error:
            await problem_response(error)(scope, receive, send)
            return
        try:
            await self._app(scope, body.receive, send)
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

    def _awaited(self, receive: Receive, most_bytes: int, announced: bytes, codings: bytes) -> _Arriving:
        """A body of that length and coding, unless it is rejected before a byte of it is read.

        Raises BodyTooLarge, BodiesTooLarge, EncodingUnsupported.
        """
        size = int(announced) if announced.isdigit() else 0
        if size > most_bytes:
            raise too_large(f"{size:,}", most_bytes)
        if size > _SMALL_BYTES and self._held + size > self._limits.together_bytes:
            raise self._too_much()
        coding = coding_of(codings) if codings else None
        if coding is None:
            return _Arriving(self, receive, most_bytes)
        return _Compressed(self, receive, most_bytes, Decoder(coding))

    def _too_much(self) -> InkseekError:
        return BodiesTooLarge(
            f"the bodies of all requests being answered would have more than {self._limits.together_bytes:,} bytes"
        )


def _described(scope: Scope) -> tuple[bytes | None, bytes]:
    """The length that the headers announce (empty: chunks, None: neither), and the content codings."""
    announced: bytes | None = None
    codings: list[bytes] = []
    for name, value in scope["headers"]:
        if name == b"content-length":
            announced = value
        elif name == b"transfer-encoding":
            announced = announced or b""
        elif name == b"content-encoding":
            codings.append(value)
    return announced, b",".join(codings)


class _Arriving:
    """One body on its way in."""

    def __init__(self, shared: RequestBody, receive: Receive, most_bytes: int) -> None:
        self.held = 0
        self._shared = shared
        self._receive = receive
        self._most_bytes = most_bytes
        self._arrived = 0
        self._complete = False
        self._until = asyncio.get_running_loop().time() + shared.limits.whole_s

    async def receive(self) -> Message:
        """The next piece. Raises BodyTooLarge, BodyTimeout, BodiesTooLarge."""
        message = await self._next()
        self._hold(self._arrived)
        return message

    async def _next(self) -> Message:
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
        self._complete = message["type"] != "http.request" or not message.get("more_body", False)
        self._arrived += len(message.get("body", b""))
        if self._arrived > self._most_bytes:
            raise too_large(f"more than {self._most_bytes:,}", self._most_bytes)
        return message

    def _hold(self, size: int) -> None:
        if size > _SMALL_BYTES:
            self._shared.hold(size - self.held)
            self.held = size


class _Compressed(_Arriving):
    """One body that is decoded on its way in: what it becomes is limited as other bodies are."""

    def __init__(self, shared: RequestBody, receive: Receive, most_bytes: int, decoder: Decoder) -> None:
        super().__init__(shared, receive, most_bytes)
        self._decoder = decoder
        self._pieces: Iterator[bytes] = iter(())
        self._decoded = 0
        self._ended = False

    async def receive(self) -> Message:
        """The next piece, decoded. Raises BodyInvalid and what it raises otherwise."""
        if self._ended:
            return await self._next()
        while (piece := next(self._pieces, None)) is None:
            if self._complete:
                self._ended = True
                self._decoder.check_end()
                return {"type": "http.request", "body": b"", "more_body": False}
            message = await self._next()
            if message["type"] != "http.request":
                return message
            self._pieces = self._decoder.decoded(message.get("body", b""))
        self._decoded += len(piece)
        if self._decoded > self._most_bytes:
            raise too_large(f"more than {self._most_bytes:,}", self._most_bytes)
        self._hold(self._decoded)
        await asyncio.sleep(0)  # inflating must not keep the event loop from other requests
        return {"type": "http.request", "body": piece, "more_body": True}


def too_large(size: str, most_bytes: int) -> InkseekError:
    """The error of a body of `size`, in words, where `most_bytes` are accepted."""
    return BodyTooLarge(f"the request body has {size} bytes; at most {most_bytes:,} are accepted")
