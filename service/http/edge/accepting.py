"""Connections shared evenly among the processes that listen on one socket.

Left to themselves, the process that wakes first accepts all that have come: of 64 clients that connect at once one
process may get 50, and queues while another is idle. Here each takes one at a time, unless another process has fewer.
"""

from __future__ import annotations

import asyncio
import ctypes
import errno
import logging
import socket
from collections.abc import Callable
from multiprocessing.sharedctypes import RawArray

_log = logging.getLogger("inkseek.service")

_ABSENT = 2**31 - 1  # more connections than any process has: it listens no more, or not yet
_AT_ONCE = 16  # the loop has other things to do
_LEFT_S = 0.002  # until one that was left to another process is looked for again
_MOST_LEFT = 15  # times in a row: the other one encodes for 25 ms at most, or hangs
_UNEVEN_S = 1.0  # for which one that has left enough accepts whatever comes
_EXHAUSTED_S = 1.0  # the system has no files left: until it may have some
_EXHAUSTED = frozenset((errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM))


class OpenCounts:
    """How many connections each process has, in memory that all share; handed to them as they start."""

    def __init__(self, processes: int) -> None:
        """None of them listens yet."""
        self._counts = RawArray("i", [_ABSENT] * processes)

    def of(self, number: int) -> OwnCount:
        """The count of one process, which alone changes it."""
        return OwnCount(self._counts, number)


class OwnCount:
    """The connections of this process, which the others see."""

    def __init__(self, counts: ctypes.Array[ctypes.c_int], number: int) -> None:
        """`counts`: of all processes; `number`: which of them is this one."""
        self._counts = counts
        self._number = number
        self._open = 0

    def change(self, by: int) -> None:
        """So many more connections, or fewer."""
        self._open += by
        if self._counts[self._number] != _ABSENT:
            self._counts[self._number] = self._open

    def announce(self, *, listens: bool) -> None:
        """Tell the others whether connections may be left to this process."""
        self._counts[self._number] = self._open if listens else _ABSENT

    @property
    def is_least(self) -> bool:
        """Whether no other process has fewer."""
        return not any(count < self._open for count in self._counts)


class Acceptor:
    """Accepts the connections of one listener on the running event loop."""

    def __init__(self, listener: socket.socket, protocol: Callable[[], asyncio.Protocol], count: OwnCount) -> None:
        """`protocol`: makes one for each connection, and takes it off the `count` when it is lost."""
        self._listener = listener
        self._protocol = protocol
        self._count = count
        self._loop = asyncio.get_running_loop()
        self._left = 0
        self._uneven_until = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._opening: set[asyncio.Task[None]] = set()
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

    def _pause(self, seconds: float) -> None:
        self._loop.remove_reader(self._listener)
        self._timer = self._loop.call_later(seconds, self._watch)

    def _accept(self) -> None:
        for _ in range(_AT_ONCE):
            if not self._count.is_least and self._leaves():
                self._pause(_LEFT_S)
                return
            try:
                connection, _address = self._listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                self._left = 0
                return
            except OSError as error:
                if error.errno not in _EXHAUSTED:
                    raise
                _log.error("no connection can be accepted: %s", error.strerror)
                self._pause(_EXHAUSTED_S)
                return
            self._left = 0
            self._open(connection)

    def _leaves(self) -> bool:
        """Whether to leave a connection to a process that has fewer, and has not taken it so far."""
        if self._loop.time() < self._uneven_until:
            return False
        self._left += 1
        if self._left > _MOST_LEFT:
            self._left, self._uneven_until = 0, self._loop.time() + _UNEVEN_S
            return False
        return True

    def _open(self, connection: socket.socket) -> None:
        self._count.change(1)
        connection.setblocking(False)
        task = self._loop.create_task(self._connect(connection))
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)

    async def _connect(self, connection: socket.socket) -> None:
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await self._loop.connect_accepted_socket(self._protocol, connection)
        except OSError:  # the client is gone already
            self._count.change(-1)
            connection.close()
