"""Connections shared evenly among the processes that listen on one socket.

Left to themselves, the process that wakes first accepts all that have come: of 64 clients that connect at once one
process may get 50, and queues while another is idle. Here it hands them over to whoever has the fewest.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
import time
from collections.abc import Callable
from multiprocessing.sharedctypes import RawArray

_log = logging.getLogger("inkseek.service")

_ABSENT = 2**30  # more connections than any process has: it takes none, or not yet
_HANGS_S = 1.0  # a process whose event loop has not turned for so long is left alone
_AT_ONCE = 256  # the loop has other things to do
_EXHAUSTED_S = 1.0  # the system has no files left: until it may have some
_EXHAUSTED = frozenset((errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM))


class Siblings:
    """What the processes behind one socket have in common; handed to each as it starts.

    Each number in shared memory is written by one process alone, so that nothing is locked.
    """

    def __init__(self, count: int) -> None:
        """None of the `count` processes takes connections yet."""
        self.count = count
        self.open = RawArray("i", [_ABSENT] * count)  # connections of each
        self.given = RawArray("q", count * count)  # by each process to each, since the beginning
        self.taken = RawArray("q", count)  # by each of what it was given
        self.turned = RawArray("d", count)  # when each one's event loop last turned, in seconds of the monotonic clock
        self.channels = [socket.socketpair() for _ in range(count)]  # to read for the one, to write for the others

    def close(self) -> None:
        """Close the channels of this process."""
        for pair in self.channels:
            for end in pair:
                end.close()


class Member:
    """One of the processes, by its number."""

    def __init__(self, siblings: Siblings, number: int) -> None:
        """Takes connections once it has announced that."""
        self._siblings = siblings
        self._number = number
        self._open = 0
        self._takes = False
        self.channel = siblings.channels[number][0]
        for end in (end for pair in siblings.channels for end in pair):
            end.setblocking(False)

    def announce(self, *, takes: bool) -> None:
        """Whether others may hand connections over. After False, those on their way still arrive."""
        self._takes = takes
        self._siblings.turned[self._number] = time.monotonic()
        self._siblings.open[self._number] = self._open if takes else _ABSENT

    def turn(self) -> None:
        """Show that the event loop turns; some times a second."""
        self._siblings.turned[self._number] = time.monotonic()

    def change(self, by: int) -> None:
        """So many more connections, or fewer."""
        self._open += by
        if self._takes:
            self._siblings.open[self._number] = self._open

    def hands_over(self, connection: socket.socket) -> bool:
        """Whether the connection went to a process that has fewer."""
        shared, number = self._siblings, self._least()
        if number == self._number:
            return False
        try:
            socket.send_fds(shared.channels[number][1], [b"."], [connection.fileno()])
        except OSError:  # its channel is full
            return False
        shared.given[self._number * shared.count + number] += 1
        connection.close()
        return True

    def take(self) -> socket.socket | None:
        """A connection that another process has handed over; None where there is none."""
        try:
            _, handles, _, _ = socket.recv_fds(self.channel, 1, 1)
        except (BlockingIOError, InterruptedError):
            return None
        self._siblings.taken[self._number] += 1
        return socket.socket(fileno=handles[0]) if handles else None

    def _least(self) -> int:
        """The number of the process with the fewest connections, of several the own one."""
        best, fewest = self._number, self._open
        alive = time.monotonic() - _HANGS_S
        for number in range(self._siblings.count):
            if number != self._number and self._siblings.turned[number] >= alive:
                connections = self._connections(number)
                if connections < fewest:
                    best, fewest = number, connections
        return best

    def _connections(self, number: int) -> int:
        """Of another process, with those on their way to it."""
        shared = self._siblings
        given: int = sum(shared.given[number :: shared.count])
        count: int = shared.open[number] + given - shared.taken[number]
        return count


class Acceptor:
    """Accepts the connections of one listener on the running event loop, for the member with the fewest."""

    def __init__(self, listener: socket.socket, member: Member, opened: Callable[[socket.socket], None]) -> None:
        """`opened` is called with each connection that stays in this process."""
        self._listener = listener
        self._member = member
        self._opened = opened
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        listener.setblocking(False)
        self._watch()

    def close(self) -> None:
        """Accept no more; the listener stays open."""
        self._loop.remove_reader(self._listener)
        if self._timer is not None:
            self._timer.cancel()

    def _watch(self) -> None:
        self._timer = None
        self._loop.add_reader(self._listener, self._accept)

    def _accept(self) -> None:
        for _ in range(_AT_ONCE):
            try:
                connection, _address = self._listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                if error.errno not in _EXHAUSTED:
                    raise
                _log.error("no connection can be accepted: %s", error.strerror)
                self._loop.remove_reader(self._listener)
                self._timer = self._loop.call_later(_EXHAUSTED_S, self._watch)
                return
            if not self._member.hands_over(connection):
                self._opened(connection)


class Opening:
    """Makes the protocols of connections, accepted or handed over, on the running event loop."""

    def __init__(
        self, listeners: list[socket.socket], member: Member, protocol: Callable[[], asyncio.Protocol]
    ) -> None:
        """Listens from now on. `protocol` takes its connection off the member's count when that is lost."""
        self._member = member
        self._protocol = protocol
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._acceptors = [Acceptor(listener, member, self._open) for listener in listeners]
        self._loop.add_reader(member.channel, self._take)
        member.announce(takes=True)

    def close(self) -> None:
        """Accept no more; what is on its way still arrives, until the loop ends."""
        self._member.announce(takes=False)
        for acceptor in self._acceptors:
            acceptor.close()
        self._take()

    def _take(self) -> None:
        for _ in range(_AT_ONCE):
            if (connection := self._member.take()) is None:
                return
            self._open(connection)

    def _open(self, connection: socket.socket) -> None:
        self._member.change(1)
        connection.setblocking(False)
        task = self._loop.create_task(self._connect(connection))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _connect(self, connection: socket.socket) -> None:
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await self._loop.connect_accepted_socket(self._protocol, connection)
        except OSError:  # the client is gone already
            self._member.change(-1)
            connection.close()
