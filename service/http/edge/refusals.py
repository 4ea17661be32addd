"""429 from the connection itself, for an overloaded service that has no time to run through its own layers.

Through all of them such an answer takes five times as long, and at ten times what the service can take a third of its
time would go there. So the first one is kept as it left, and sent again with another request's id.
"""

from __future__ import annotations

import asyncio
import select
from collections.abc import Callable
from typing import NamedTuple, Protocol

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.flow_control import FlowControl

from service.errors import QueueFull
from service.http.edge.overload import route_turned_away
from service.http.edge.request_scope import REQUEST_ID, new_request_id
from service.runtime.metrics import Metrics

STATUS = 429
_RETRY_S = QueueFull("").retry_after_s
_PATHS = frozenset((b"/v1/search", b"/v1/search:batch", b"/v1/search:vector", b"/v1/preview"))
_SMALL_BYTES = 65_536  # a body is read and forgotten; larger ones go the long way, which bounds them
# With one of these an answer has other headers or another length, or the body is not what it is announced to be.
_SPECIAL = frozenset((b"origin", b"x-request-id", b"x-forwarded-prefix", b"expect", b"transfer-encoding", b"upgrade"))

Headers = list[tuple[bytes, bytes]]


class Places(Protocol):
    """What knows whether another request is admitted: `Workers`."""

    @property
    def free(self) -> int:
        """How many more are; 0 or less where none is."""

    def count_rejected(self) -> None:
        """Count one that was not."""


class Read(Protocol):
    """A connection that can be left unread for a while, as uvicorn has them."""

    transport: asyncio.Transport
    flow: FlowControl


class Paused:
    """Connections that were rejected. None is read before there is a place, or as long as it was told to wait.

    Who tries again at once would be rejected again, which takes a tenth of a millisecond with the shares of the system
    and the client: at ten times what the service can take, a fifth of its time would go there. Unread, they cost
    nothing. A place goes to whoever has sent the next request by then, in the order in which those came. Only Linux
    can say who that is; elsewhere nobody is left unread.
    """

    def __init__(self, free: Callable[[], int], pause_s: float = _RETRY_S) -> None:
        """`free`: how many places there are. `pause_s`: as long as an answer says that one should wait."""
        self._free = free
        self._pause_s = pause_s
        self._waiting: dict[int, _Waiting] = {}  # by the handle of the socket
        self._senders: select.epoll | None = None  # tells who of them has sent something
        self._leavers: select.epoll | None = None  # tells who of them has hung up
        self._is_due = self._is_watched = False

    def add(self, connection: Read) -> None:
        """It has just been rejected."""
        if not hasattr(select, "epoll"):
            return
        handle = connection.transport.get_extra_info("socket").fileno()
        if handle in self._waiting:
            return
        connection.flow.pause_reading()
        timer = asyncio.get_running_loop().call_later(self._pause_s, self._read_on, connection)
        self._waiting[handle] = _Waiting(connection, timer)
        if self._senders is None or self._leavers is None:
            self._senders, self._leavers = select.epoll(), select.epoll()
        if len(self._waiting) == 1:
            asyncio.get_running_loop().add_reader(self._leavers.fileno(), self._let_leave)
        self._senders.register(handle, select.EPOLLIN)
        self._leavers.register(handle, select.EPOLLRDHUP)

    def drop(self, connection: Read) -> None:
        """It is closed, or read again."""
        handle = connection.transport.get_extra_info("socket").fileno()
        if (waiting := self._waiting.pop(handle, None)) is not None:
            waiting.timer.cancel()
            assert self._senders is not None and self._leavers is not None
            self._senders.unregister(handle)
            self._leavers.unregister(handle)
            if not self._waiting:
                asyncio.get_running_loop().remove_reader(self._leavers.fileno())
                self._watch(False)

    def take_turns(self) -> None:
        """An answer has left: as many as there are places are read again, once all answers of this turn have left."""
        if self._waiting and not self._is_due:
            self._is_due = True
            asyncio.get_running_loop().call_soon(self._turn)

    def _turn(self) -> None:
        self._is_due = False
        places = max(0, self._free())
        if places and self._senders is not None:
            for handle, _ in self._senders.poll(0, places):
                self._read_on(self._waiting[handle].connection)
                places -= 1
        # Nobody has sent anything: whoever is the first to do so has the place.
        self._watch(places > 0 and bool(self._waiting))

    def _let_leave(self) -> None:
        """Only a connection that is read learns that its client is gone; until then it counts as one that is open."""
        assert self._leavers is not None
        for handle, _ in self._leavers.poll(0):
            self._read_on(self._waiting[handle].connection)

    def _watch(self, wanted: bool) -> None:
        if wanted != self._is_watched and self._senders is not None:
            self._is_watched = wanted
            loop = asyncio.get_running_loop()
            if wanted:
                loop.add_reader(self._senders.fileno(), self._turn)
            else:
                loop.remove_reader(self._senders.fileno())

    def _read_on(self, connection: Read) -> None:
        self.drop(connection)
        if not connection.transport.is_closing():
            connection.flow.resume_reading()


class _Waiting(NamedTuple):
    connection: Read
    timer: asyncio.TimerHandle


class _Kept(NamedTuple):
    route: str
    pieces: list[bytes]  # of headers and body, around the request's id


class Refusals:
    """Answers kept by path. Used from one event loop."""

    def __init__(self, metrics: Metrics) -> None:
        """`metrics`: where such answers are counted as all others are. `places` is set once there are some."""
        self.places: Places | None = None
        self._metrics = metrics
        self._kept: dict[bytes, _Kept] = {}
        self.paused = Paused(lambda: self.places.free - self._passed if self.places else 1)
        self._passed = 0  # requests that were let through, and have not taken their places yet

    def answer(self, method: bytes, target: bytes, headers: Headers) -> bytes | None:
        """Headers and body of the 429 to a request whose head has come, without the status line; None: it has to go
        through the service, which accepts it or says the same."""
        kept = self._kept.get(target.partition(b"?")[0])
        if kept is None or self.places is None or method != b"POST" or not _is_plain(headers):
            return None
        # One turn of the event loop reads the heads of many requests before the first of them takes its place.
        if self.places.free > self._passed:
            self._passed += 1
            return None
        self.places.count_rejected()
        self._metrics.observe_request(kept.route, "POST", STATUS, 0.0)
        return new_request_id().encode().join(kept.pieces)

    def arrived(self) -> None:
        """A request that was let through takes its place now, or is rejected for want of one."""
        self._passed = max(0, self._passed - 1)  # of some paths none was counted

    def wants(self, scope: Scope) -> bool:
        """Whether the request is about to get an answer that should be kept."""
        if self.places is None or self.places.free > 0 or scope["type"] != "http":
            return False
        path = scope.get("raw_path")
        return path in _PATHS and path not in self._kept and _is_plain(scope["headers"])

    def keep(self, path: bytes, route: str, headers: Headers, body: bytes) -> None:
        """Keep an answer of the service, if it says its request's id in a header and in the body."""
        request_id = dict(headers).get(REQUEST_ID, b"")
        pieces = (b"".join(b"%b: %b\r\n" % header for header in headers) + b"\r\n" + body).split(request_id or b"\0")
        if len(pieces) == 3:
            self._kept[path] = _Kept(route, pieces)


class KeepRefusals:
    """Outermost: watches for the first 429 of each path, and gives it to the connections."""

    def __init__(self, app: ASGIApp, refusals: Refusals) -> None:
        """`app` answers."""
        self._app = app
        self._refusals = refusals

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] == "http" and scope["method"] == "POST":
            self._refusals.arrived()
        if not self._refusals.wants(scope):
            await self._app(scope, receive, send)
            return
        path, headers, body = scope["raw_path"], Headers(), b""
        status = 0

        async def send_noted(message: Message) -> None:
            nonlocal status, headers, body
            if message["type"] == "http.response.start":
                status, headers = message["status"], list(message["headers"])
            else:
                body += message.get("body", b"")
            await send(message)

        await self._app(scope, receive, send_noted)
        route = route_turned_away(scope)
        if status == STATUS and route is not None:
            self._refusals.keep(path, route, headers, body)


def _is_plain(headers: Headers) -> bool:
    """Whether a request has a short body of announced length, and nothing that would change the answer."""
    length = b""
    for name, value in headers:
        if name in _SPECIAL:
            return False
        if name == b"content-length":
            length = value
    return length.isdigit() and int(length) <= _SMALL_BYTES
