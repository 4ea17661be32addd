"""Connections to one socket that several processes listen on: each gets as many, and none waits for one that hangs."""

from __future__ import annotations

import asyncio
import functools
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from service.http.edge.accepting import Member, Opening, Siblings


class Counted(asyncio.Protocol):
    """A connection that takes itself off the count, as the service's own does."""

    def __init__(self, member: Member, accepted: list[asyncio.BaseTransport]) -> None:
        self._member = member
        self._accepted = accepted

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._accepted.append(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._member.change(-1)


class Listening:
    """The processes `numbers` of some siblings, all on the running loop; `accepted` has each one's connections."""

    def __init__(self, listener: socket.socket, siblings: Siblings, numbers: range) -> None:
        self.accepted: list[list[asyncio.BaseTransport]] = [[] for _ in numbers]
        self.sockets = [listener.dup() for _ in numbers]
        self.openings = []
        self._siblings = siblings
        for number, own, accepted in zip(numbers, self.sockets, self.accepted, strict=True):
            member = Member(siblings, number)
            made = functools.partial(Counted, member, accepted)
            self.openings.append(Opening([own], member, made))

    def close(self) -> None:
        loop = asyncio.get_running_loop()
        for opening, own, (channel, _) in zip(self.openings, self.sockets, self._siblings.channels, strict=False):
            opening.close()
            loop.remove_reader(channel)
            own.close()
        for transport in (transport for accepted in self.accepted for transport in accepted):
            transport.close()
        self._siblings.close()


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
            processes = Listening(listener, Siblings(2), range(2))
            await until(lambda: sum(map(len, processes.accepted)) == 64)
            processes.close()
            return [len(accepted) for accepted in processes.accepted]

    assert asyncio.run(scenario()) == [32, 32]


def test_who_has_lost_clients_gets_the_next_ones() -> None:
    async def scenario() -> list[int]:
        with listening() as (listener, connect):
            processes = Listening(listener, Siblings(2), range(2))
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


def test_who_hangs_or_is_gone_is_given_nothing_more() -> None:
    async def scenario(announced: bool) -> int:
        with listening() as (listener, connect):
            siblings = Siblings(2)
            hanging = Member(siblings, 1)
            hanging.announce(takes=announced)
            if announced:
                siblings.turned[1] -= 5  # seconds
            processes = Listening(listener, siblings, range(1))
            connect(40)
            await until(lambda: len(processes.accepted[0]) == 40)
            assert hanging.take() is None
            processes.close()
            return len(processes.accepted[0])

    assert asyncio.run(scenario(announced=True)) == asyncio.run(scenario(announced=False)) == 40


def test_what_is_on_its_way_to_one_that_stops_still_arrives() -> None:
    async def scenario() -> int:
        with listening() as (listener, _), listening() as (elsewhere, connect):
            siblings = Siblings(2)
            giving = Member(siblings, 1)
            processes = Listening(listener, siblings, range(1))
            connect(2)
            first, second = elsewhere.accept()[0], elsewhere.accept()[0]
            giving.change(5)
            assert giving.hands_over(first)
            processes.openings[0].close()
            assert not giving.hands_over(second)
            await until(lambda: len(processes.accepted[0]) == 1)
            second.close()
            processes.close()
            return len(processes.accepted[0])

    assert asyncio.run(scenario()) == 1


def test_a_client_that_left_before_it_was_accepted_is_no_fault() -> None:
    async def scenario() -> int:
        with listening() as (listener, connect):
            for client in connect(3):
                client.close()
            processes = Listening(listener, Siblings(1), range(1))
            connect(2)
            await until(lambda: len(processes.accepted[0]) == 5)
            await until(lambda: sum(not transport.is_closing() for transport in processes.accepted[0]) == 2)
            processes.close()
            return len(processes.accepted[0])

    assert asyncio.run(scenario()) == 5
