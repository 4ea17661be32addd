"""Several worker processes behind one socket: started, watched, replaced when they die, and stopped together."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any

from service.errors import WorkersFailed
from service.runtime.metrics import forget_process

_log = logging.getLogger("inkseek.service")

_SILENCE_S = 60.0  # a worker that imports and loads on a busy machine says nothing for that long
_POLL_S = 0.2
_REPLACE_AFTER_S = 1.0  # one that dies at once must not be started in a loop


class Lifeline:
    """The worker's end: it tells that the event loop turns, and learns whether the supervisor still lives."""

    def __init__(self, connection: Connection) -> None:
        """`connection`: from `Supervisor`, as the worker's target receives it."""
        self._connection = connection
        self._told = 0.0
        os.set_blocking(connection.fileno(), False)

    def holds(self) -> bool:
        """Whether the supervisor lives. Call it some times a second."""
        now = time.monotonic()
        if now - self._told < 1:
            return True
        self._told = now
        try:
            os.write(self._connection.fileno(), b".")
        except BlockingIOError:
            pass  # it lives, and has not read for long
        except OSError:
            return False
        return True


@dataclass
class _Worker:
    number: int
    process: SpawnProcess
    pulse: Connection
    started: float = field(default_factory=time.monotonic)
    heard: float = 0.0


class Supervisor:
    """Runs `count` processes of `target(*arguments, number, connection)`, numbered from 0.

    `connection` is for the worker's Lifeline. One that takes the place of another has its number.
    """

    def __init__(self, count: int, target: Callable[..., None], arguments: tuple[Any, ...], stop_s: float) -> None:
        """`stop_s`: how long a worker may take to end after SIGTERM; then it is killed."""
        self._count = count
        self._target = target
        self._arguments = arguments
        self._stop_s = stop_s
        self._context = multiprocessing.get_context("spawn")
        self._workers: list[_Worker] = []
        self._stopping = False

    def run(self, before_stop: Callable[[], None]) -> None:
        """Until SIGINT or SIGTERM; `before_stop` is called before the workers are told.

        Raises WorkersFailed when one ends before any serves.
        """
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._stop)
        try:
            self._workers = [self._start(number) for number in range(self._count)]
            while not self._stopping:
                self._listen(_POLL_S)
                time.sleep(_POLL_S / 2)
                for place, worker in enumerate(self._workers):
                    self._workers[place] = self._checked(worker)  # a closed pulse is not listened to again
        finally:
            before_stop()
            self._end_all()

    def _stop(self, *_: object) -> None:
        self._stopping = True

    def _start(self, number: int) -> _Worker:
        pulse, worker_end = self._context.Pipe(duplex=False)
        process = self._context.Process(target=self._target, args=(*self._arguments, number, worker_end))
        process.start()
        worker_end.close()  # or the worker's death would not show
        return _Worker(number, process, pulse)

    def _listen(self, timeout_s: float) -> None:
        ready = wait([worker.pulse for worker in self._workers], timeout_s)
        for worker in self._workers:
            if worker.pulse in ready and os.read(worker.pulse.fileno(), 4096):
                worker.heard = time.monotonic()

    def _checked(self, worker: _Worker) -> _Worker:
        """The worker, or another in its place. Raises WorkersFailed."""
        silent_s, is_alive = time.monotonic() - max(worker.heard, worker.started), worker.process.is_alive()
        if is_alive and silent_s < _SILENCE_S:
            return worker
        if not is_alive:
            self._listen(0)  # for what was said since
            if not any(other.heard for other in self._workers):
                # It fails before any serves, and would again. Beside one that serves it may just have been killed.
                code = worker.process.exitcode
                raise WorkersFailed(f"a worker could not start (exit status {code}): see its log lines")
        if time.monotonic() - worker.started < _REPLACE_AFTER_S:
            return worker
        _log.error("worker %d %s; another is started", worker.process.pid, "hangs" if silent_s > _SILENCE_S else "died")
        worker.process.kill()
        self._buried(worker)
        return self._start(worker.number)

    def _end_all(self) -> None:
        for worker in self._workers:
            worker.process.terminate()
        deadline = time.monotonic() + self._stop_s
        for worker in self._workers:
            worker.process.join(max(0.0, deadline - time.monotonic()))
            worker.process.kill()
            self._buried(worker)

    def _buried(self, worker: _Worker) -> None:
        worker.process.join()
        worker.pulse.close()
        forget_process(worker.process.pid or 0)
