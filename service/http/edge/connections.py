"""One HTTP connection, bounded: how much of a request's head is read, for how long, and how many connections there are.

uvicorn's own limits are those of its h11 protocol, on sizes only. This is its httptools protocol, which is faster, with
limits on size, number and time; what breaks them is answered with a problem and closed.
"""

from __future__ import annotations

import asyncio
import json
from asyncio.events import TimerHandle
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState

from service.http import problem_kinds, problems
from service.http.edge.refusals import STATUS, Refusals

_LINGER_S = 1.0  # a connection closed with unread bytes is reset, and the client may lose the answer that says why
_LINGER_BYTES = 2**20
_PIPELINED = 16  # requests that a client may send ahead of their answers
_IDLE_CLOSE_S = 0.3  # at shutdown: what the client sent at this very moment is still answered
_RETRY_AFTER_S = 5


@dataclass
class Connections:
    """What all connections of one process share: their limits, and which of them wait for a request.

    `draining`: each answer is the last of its connection. `refusals`: what they answer themselves; None: nothing.
    """

    most: int
    head_bytes: int = 65_536
    headers: int = 100
    head_s: float = 10.0
    write_s: float = 30.0
    draining: bool = False
    refusals: Refusals | None = None
    lost: Callable[[], None] = lambda: None
    waiting: dict[BoundedHttp, None] = field(default_factory=dict)

    def protocol(self, kind: Callable[..., BoundedHttp] | None = None) -> Callable[..., BoundedHttp]:
        """For uvicorn: makes the protocol of each connection, a `BoundedHttp` or a `kind` of it."""
        return partial(kind or BoundedHttp, self)


class _Rejected(Exception):
    """Raised in a callback of the parser; the protocol knows which problem it is."""


class BoundedHttp(HttpToolsProtocol):
    """A connection waits for a request, reads its head within the limits, and answers; then it waits again."""

    def __init__(
        self, shared: Connections, config: Config, server_state: ServerState, app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:  # fmt: skip
        """As uvicorn makes it, and what all connections share."""
        super().__init__(config, server_state, app_state, _loop)
        self._shared = shared
        self._in_head = False
        # Bytes of the request that are no body: its head, then the framing of chunks. And those of its body.
        self._framing = self._body = 0
        self._headers_read = 0
        self._problem = problem_kinds.MALFORMED
        self._timer: TimerHandle | None = None
        self._writing: tuple[TimerHandle, int] | None = None
        self._lingering = 0
        self._is_refused = False  # its answer is out, and its body is not looked at

    @property
    def _answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    # Connection

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A new one; when there are too many, the one that has waited longest makes way."""
        super().connection_made(transport)
        if len(self.connections) > self._shared.most:
            if not self._shared.waiting:
                self._reject(problem_kinds.TOO_MANY_CONNECTIONS, linger=False)
                return
            next(iter(self._shared.waiting))._drop()
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        super().connection_lost(exc)
        self._shared.lost()
        if self._shared.refusals is not None:
            self._shared.refusals.paused.drop(self)
        self._stop_waiting()
        if self._writing is not None:
            self._writing[0].cancel()

    def shutdown(self) -> None:
        """Close it, after the answer to what it has sent."""
        if self._answering:
            self.cycle.keep_alive = False
        elif not self._in_head:
            self.loop.call_later(_IDLE_CLOSE_S, self._close_idle)

    def _close_idle(self) -> None:
        if not self._answering and not self._in_head:
            self.transport.close()

    def _drop(self) -> None:
        self._shared.waiting.pop(self, None)
        self.transport.abort()

    # Reading

    def data_received(self, data: bytes) -> None:
        """Parse it, within the limits."""
        if self._lingering:
            self._lingering -= len(data)
            if self._lingering <= 0:
                self.transport.abort()
            return
        self._unset_keepalive_if_required()
        self._framing += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            pass  # to another protocol: ignored, as RFC 9110 (section 7.8) allows
        except httptools.HttpParserError:
            self._reject(self._problem)
            return
        if self._in_head:
            if self._framing > self._shared.head_bytes:
                self._reject(problem_kinds.HEAD_TOO_LARGE)
        elif self._framing > self._shared.head_bytes + self._body // 8:
            self._reject(problem_kinds.MALFORMED)  # chunks of a few bytes each cost a hundred times what they carry
        if self._timer is None and not self._answering and not self._lingering:
            self._wait()

    def on_message_begin(self) -> None:
        """A request line begins."""
        if len(self.pipeline) >= _PIPELINED:
            raise _Rejected
        super().on_message_begin()
        self._in_head = True
        self._framing = self._body = self._headers_read = 0

    def on_url(self, url: bytes) -> None:
        """A piece of the target."""
        super().on_url(url)
        self._count_head(len(self.url))

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or a trailer behind a chunked body."""
        self._headers_read += 1
        self._count_head(len(name) + len(value))
        super().on_header(name, value)

    def _count_head(self, length: int) -> None:
        # A head that arrives at once is not seen by the count of `data_received`.
        self._framing += length if self._in_head else 0
        if self._framing > self._shared.head_bytes or self._headers_read > self._shared.headers:
            self._problem = problem_kinds.HEAD_TOO_LARGE
            raise _Rejected

    def on_headers_complete(self) -> None:
        """The head is complete: the application may begin."""
        self._in_head = False
        self._framing = 0
        self._stop_waiting()
        if not self._refuses():
            self._handle()

    def _handle(self) -> None:
        super().on_headers_complete()
        if self._shared.draining:
            self.cycle.keep_alive = False

    def _refuses(self) -> bool:
        """Whether the request is answered already: only where the connection goes on, and nothing waits for it."""
        parser, refusals = self.parser, self._shared.refusals
        if refusals is None or self._shared.draining or self._answering or not parser.should_keep_alive():
            return False
        answer = refusals.answer(parser.get_method(), self.url, self.headers)
        if answer is None:
            return False
        self._is_refused = True
        head = [b"%b: %b\r\n" % header for header in self.server_state.default_headers]
        self.transport.write(b"".join((STATUS_LINE[STATUS], *head, answer)))
        refusals.paused.add(self)
        return True

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        self._count_body(body)
        if not self._is_refused:
            self._pass_on(body)

    def _count_body(self, body: bytes) -> None:
        self._body += len(body)
        self._framing -= len(body)

    def _pass_on(self, body: bytes) -> None:
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The body is complete."""
        if self._is_refused:
            self._is_refused = False
        else:
            super().on_message_complete()

    def on_response_complete(self) -> None:
        """The next request may come."""
        super().on_response_complete()
        if not self._answering and not self.transport.is_closing():
            self._shared.waiting[self] = None
        if self._shared.refusals is not None:
            self._shared.refusals.paused.take_turns()

    # Waiting, for a head and for a client that reads

    def _wait(self) -> None:
        self._shared.waiting[self] = None
        self._timer = self.loop.call_later(self._shared.head_s, self._waited)

    def _stop_waiting(self) -> None:
        self._shared.waiting.pop(self, None)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _waited(self) -> None:
        self._timer = None
        if self._in_head:
            self._reject(problem_kinds.HEAD_TIMEOUT)
        else:
            self.transport.close()

    def pause_writing(self) -> None:
        """The client reads more slowly than is written."""
        super().pause_writing()
        left = self.transport.get_write_buffer_size()
        self._writing = self.loop.call_later(self._shared.write_s, self._check_writing), left

    def resume_writing(self) -> None:
        """The client has read."""
        super().resume_writing()
        if self._writing is not None:
            self._writing[0].cancel()
            self._writing = None

    def _check_writing(self) -> None:
        before = self._writing[1] if self._writing is not None else 0
        self._writing = None
        if self.transport.get_write_buffer_size() >= before:
            self.transport.abort()
        else:
            self.pause_writing()

    # Rejecting

    def _reject(self, kind: problem_kinds.Kind, *, linger: bool = True) -> None:
        self._stop_waiting()
        if self.transport.is_closing() or self._lingering:
            return
        if self._answering and not self._is_current_broken():
            # What came before is answered; an answer now would be taken for that.
            self.cycle.keep_alive = False
            self.flow.pause_reading()
            return
        self.transport.write(_answer(kind))
        if linger and self.transport.can_write_eof():
            self._lingering = _LINGER_BYTES
            self.transport.write_eof()
            self.loop.call_later(_LINGER_S, self.transport.close)
        else:
            self.transport.close()

    def _is_current_broken(self) -> bool:
        """Whether the fault is in the body of the request that is being answered; then it gets no other answer."""
        cycle = self.cycle
        if self.pipeline or not cycle.more_body or cycle.response_started:
            return False
        cycle.disconnected = True
        cycle.message_event.set()
        return True


def _answer(kind: problem_kinds.Kind) -> bytes:
    body = json.dumps(problems.document(kind, kind.advice)).encode()
    head = f"content-type: {problems.MEDIA_TYPE}\r\ncontent-length: {len(body)}\r\nconnection: close\r\n"
    if kind.status == problem_kinds.TOO_MANY_CONNECTIONS.status:
        head += f"retry-after: {_RETRY_AFTER_S}\r\n"
    return STATUS_LINE[kind.status] + head.encode() + b"\r\n" + body
