"""A connection that answers plain searches itself; every other request goes the way through the layers."""

from __future__ import annotations

from asyncio.events import TimerHandle
from typing import Any, Protocol, cast

from service.http.edge.connections import BoundedHttp, Connections
from service.http.problem_kinds import Kind

_HELD_S = 0.05  # for a body that comes apart from its head, as many clients send it

Headers = list[tuple[bytes, bytes]]


class Flight(Protocol):
    """A search that is being answered, in the place of uvicorn's cycle of request and response."""

    keep_alive: bool
    response_complete: bool

    def leave(self) -> None:
        """The client is gone."""


class Express(Protocol):
    """Whatever answers plain searches."""

    def takes(self, method: bytes, target: bytes, headers: Headers) -> bool:
        """Whether a request may be a plain search, by its head."""

    def begin(self, connection: ExpressHttp, scope: dict[str, Any], target: bytes, body: bytes) -> Flight | None:
        """Begin to answer it; None, and nothing is done, where it has to go through the layers."""


class ExpressHttp(BoundedHttp):
    """Holds the head of what may be a plain search until its body is there, and offers it to `Express`."""

    def __init__(self, express: Express, shared: Connections, *arguments: Any, **options: Any) -> None:
        """As a `BoundedHttp`."""
        super().__init__(shared, *arguments, **options)
        self._express = express
        self._held: bytes | None = None  # the body so far of the request whose head is held
        self._held_until: TimerHandle | None = None
        self._flight: Flight | None = None

    @property
    def _answering(self) -> bool:
        return self._held is not None or super()._answering

    def start_of_response(self) -> list[bytes]:
        """The headers that every answer of this moment begins with, as lines."""
        return [b"%b: %b\r\n" % header for header in self.server_state.default_headers]

    def answer(self, flight: Flight, response: bytes) -> None:
        """Send the whole response of the request in flight; then the next request may come."""
        self._flight = None
        flight.response_complete = True
        if not self.transport.is_closing():
            self.transport.write(response)
            if not flight.keep_alive:
                self.transport.close()
        self.on_response_complete()

    def data_received(self, data: bytes) -> None:
        """Parse it; a head that is held waits a moment for its body."""
        super().data_received(data)
        if self._held is not None and self._held_until is None:
            self._held_until = self.loop.call_later(_HELD_S, self._let_go)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody waits for an answer any more."""
        super().connection_lost(exc)
        self._unhold()
        if self._flight is not None:
            flight, self._flight = self._flight, None
            flight.leave()

    def shutdown(self) -> None:
        """Close it, after the answer to what it has sent."""
        self._let_go()
        super().shutdown()

    def _handle(self) -> None:
        """The head is complete, and not answered yet."""
        parser, shared = self.parser, self._shared
        is_plain = not shared.draining and not self._answering and parser.get_http_version() == "1.1"
        if is_plain and parser.should_keep_alive() and self._express.takes(parser.get_method(), self.url, self.headers):
            self._held = b""
        else:
            super()._handle()

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        if self._held is None:
            super().on_body(body)
        else:
            self._count_body(body)
            self._held += body

    def on_message_complete(self) -> None:
        """The body is complete."""
        body = self._held
        if body is not None:
            flight = self._express.begin(self, dict(self.scope), self.url, body)
            if flight is not None:
                self._unhold()
                # uvicorn asks it whether the connection is busy, and whether it may go on.
                self._flight = flight
                self.cycle = cast(Any, flight)
                return
            self._let_go()
        super().on_message_complete()

    def _let_go(self) -> None:
        """Through the layers, with what has come of the body."""
        body = self._unhold()
        if body is not None and not self.transport.is_closing():
            super()._handle()
            if body:
                self._pass_on(body)

    def _reject(self, kind: Kind, *, linger: bool = True) -> None:
        self._let_go()
        super()._reject(kind, linger=linger)

    def _unhold(self) -> bytes | None:
        body, self._held = self._held, None
        if self._held_until is not None:
            self._held_until.cancel()
            self._held_until = None
        return body
