"""Connections to one socket that several processes listen on: each gets as many, and none waits for one that hangs."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from service.http.edge.accepting import Acceptor, OpenCounts, OwnCount


class Counted(asyncio.Protocol):
    """A connection that takes itself off the count, as the service's own does."""

    def __init__(self, count: OwnCount, accepted: list[asyncio.BaseTransport]) -> None:
        self._count = count
        self._accepted = accepted

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._accepted.append(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._count.change(-1)


class Listening:
    """As many listening processes as `counts`, all on the running loop; `accepted` has each one's connections."""

    def __init__(self, listener: socket.socket, counts: OpenCounts, numbers: range) -> None:
        self.accepted: list[list[asyncio.BaseTransport]] = [[] for _ in numbers]
        self.sockets = [listener.dup() for _ in numbers]
        self.counts = [counts.of(number) for number in numbers]
        self.acceptors = []
        for own, count, accepted in zip(self.sockets, self.counts, self.accepted, strict=True):
            self.acceptors.append(Acceptor(own, lambda count=count, to=accepted: Counted(count, to), count))  # type: ignore[misc]
            count.announce(listens=True)

    def close(self) -> None:
        for acceptor, own in zip(self.acceptors, self.sockets, strict=True):
            acceptor.close()
            own.close()
        for transport in (transport for accepted in self.accepted for transport in accepted):
            transport.close()


@contextmanager
def listening() -> Iterator[tuple[socket.socket, Callable[[int], list[socket.socket]]]]:
    """A listener, and what connects so many clients to it."""
    with ExitStack() as opened:
        listener = opened.enter_context(socket.create_server(("127.0.0.1", 0), backlog=256))

        def connect(clients: int) -> list[socket.socket]:
            address = listener.getsockname()
            return [opened.enter_context(socket.create_connection(address)) for _ in range(clients)]

        yield listener, connect


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():
            await asyncio.sleep(0.005)


def test_what_connects_at_once_is_shared_evenly() -> None:
    async def scenario() -> list[int]:
        with listening() as (listener, connect):
            connect(64)
            processes = Listening(listener, OpenCounts(2), range(2))
            await until(lambda: sum(map(len, processes.accepted)) == 64)
            processes.close()
            return [len(accepted) for accepted in processes.accepted]

    assert asyncio.run(scenario()) == [32, 32]


def test_who_has_lost_clients_gets_the_next_ones() -> None:
    async def scenario() -> list[int]:
        with listening() as (listener, connect):
            processes = Listening(listener, OpenCounts(2), range(2))
            connect(20)
            await until(lambda: sum(map(len, processes.accepted)) == 20)
            for transport in processes.accepted[0]:
                transport.close()
            await until(lambda: not any(not transport.is_closing() for transport in processes.accepted[0]))
            await asyncio.sleep(0)  # they are off the count
            connect(8)
            await until(lambda: sum(map(len, processes.accepted)) == 28)
            processes.close()
            return [len(accepted) for accepted in processes.accepted]

    assert asyncio.run(scenario()) == [18, 10]


def test_nobody_waits_for_a_process_that_hangs_or_is_gone() -> None:
    async def scenario(announce: bool) -> int:
        with listening() as (listener, connect):
            counts = OpenCounts(2)
            counts.of(1).announce(listens=announce)
            processes = Listening(listener, counts, range(1))
            connect(40)
            await until(lambda: len(processes.accepted[0]) == 40)
            processes.close()
            return len(processes.accepted[0])

    assert asyncio.run(scenario(announce=True)) == asyncio.run(scenario(announce=False)) == 40


def test_a_client_that_left_before_it_was_accepted_is_no_fault() -> None:
    async def scenario() -> int:
        with listening() as (listener, connect):
            for client in connect(3):
                client.close()
            processes = Listening(listener, OpenCounts(1), range(1))
            connect(2)
            await until(lambda: len(processes.accepted[0]) == 5)
            await until(lambda: sum(not transport.is_closing() for transport in processes.accepted[0]) == 2)
            processes.close()
            return len(processes.accepted[0])

    assert asyncio.run(scenario()) == 5
