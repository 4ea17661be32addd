"""A pool of limited child processes: jobs in, answers out, from any number of threads.

A child is started when a job finds none idle, and again after one ended. It dies with its parent: its channel closes.
"""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.sandbox import wire
from models.sandbox.errors import SandboxBusy, SandboxCrashed, SandboxError, SandboxExceeded, SandboxRejected

_JOBS_PER_CHILD = 2_000  # then a new one: what a codec leaks goes back
_START_S = 20.0  # a child imports its handler within its first job's time, on a machine that is busy
_BUSY_FACTOR = 10.0  # wall-clock time per processor time of a job on a machine that is busy

# One malloc arena that gives large blocks back: what a job took is free again when it is done.
_ENVIRONMENT = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": str(2**18),
    "MALLOC_TRIM_THRESHOLD_": str(2**20),
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}


@dataclass(frozen=True)
class ProcessLimits:
    """What one job may take: processor time in seconds, and memory in bytes above that of an idle child."""

    cpu_s: float
    memory_bytes: int


class Sandbox:
    """Runs `handler` ("module:function", `(request, body) -> (answer, body)`) in at most `processes` children."""

    def __init__(
        self,
        handler: str,
        limits: ProcessLimits,
        *,
        processes: int = 1,
        waiting: int | None = None,
        wait_s: float | None = None,
    ) -> None:
        """Starts nothing yet. `waiting` jobs may wait for a child, each for `wait_s`; None: any number, any time.

        While a child is starting, time does not count: a machine that is busy takes longer for that than for many jobs.
        """
        self.limits = limits
        self._handler = handler
        self._processes = processes
        self._waiting_allowed = waiting
        self._wait_s = wait_s
        self._changed = threading.Condition()
        self._idle: list[_Child] = []
        self._at_work = 0
        self._waiting = 0
        self._starting = 0
        self._finalizer = weakref.finalize(self, _end_all, self._idle)

    def run(self, request: Mapping[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
        """The handler's answer. Raises SandboxBusy, SandboxExceeded, SandboxCrashed, SandboxRejected."""
        with self._turn():
            child = self._take()
            is_new = child.jobs == 0
            try:
                answer, result = child.answer(dict(request), body)
            except BaseException:
                child.end()
                raise
            finally:
                with self._changed:
                    self._starting -= is_new
            self._put_back(child)
        return _outcome(answer, self.limits), result

    @property
    def pids(self) -> tuple[int, ...]:
        """Process ids of the children that wait for a job."""
        return tuple(child.pid for child in self._idle)

    def close(self) -> None:
        """End the children that wait for a job; one at work ends with its job. A later job starts new ones."""
        with self._changed:
            children, self._idle[:] = self._idle[:], []
        _end_all(children)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        with self._changed:
            if self._at_work >= self._processes:
                self._wait()
            self._at_work += 1
        try:
            yield
        finally:
            with self._changed:
                self._at_work -= 1
                self._changed.notify()

    def _wait(self) -> None:
        if self._waiting_allowed is not None and self._waiting >= self._waiting_allowed:
            raise SandboxBusy("as many jobs are at work or waiting as may")
        self._waiting += 1
        try:
            while not self._changed.wait_for(lambda: self._at_work < self._processes, self._wait_s):
                if not self._starting:
                    raise SandboxBusy(f"no process was free within {self._wait_s:g} s")
        finally:
            self._waiting -= 1

    def _take(self) -> _Child:
        with self._changed:
            if self._idle:
                return self._idle.pop()
            self._starting += 1
        try:
            return _Child(self._handler, self.limits)
        except BaseException:
            with self._changed:
                self._starting -= 1
            raise

    def _put_back(self, child: _Child) -> None:
        if child.jobs >= _JOBS_PER_CHILD:
            child.end()
            return
        with self._changed:
            self._idle.append(child)


class _Child:
    """One process and the channel to it; used by one thread at a time."""

    def __init__(self, handler: str, limits: ProcessLimits) -> None:
        self.jobs = 0
        self._limits = limits
        self._channel, theirs = socket.socketpair()
        # The paths of this process and no others: neither environment nor working folder decides what is imported.
        paths = [path for path in sys.path if Path(path).is_absolute()]
        code = (
            f"import sys; sys.path[:] = {paths!r}; from models.sandbox.child import main;"
            f" main({handler!r}, {theirs.fileno()}, {limits.cpu_s}, {limits.memory_bytes})"
        )
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", code],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                cwd="/",
                env=_ENVIRONMENT,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def answer(self, request: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
        """Raises SandboxExceeded, SandboxCrashed; the child is of no use after either."""
        wall_s = self._limits.cpu_s * _BUSY_FACTOR + (_START_S if self.jobs == 0 else 0.0)
        self._channel.settimeout(wall_s)
        started = time.monotonic()
        try:
            wire.send(self._channel, request, body)
            answer = wire.receive(self._channel)
        except TimeoutError as error:
            raise SandboxExceeded(f"more than {time.monotonic() - started:.0f} s of time") from error
        except (OSError, EOFError, ValueError) as error:
            raise self._ended() from error
        self.jobs += 1
        return answer

    def end(self) -> None:
        """Kill it, whatever it does, and wait until it is gone."""
        self._channel.close()
        with suppress(OSError):
            self._process.kill()
        self._process.wait()

    def _ended(self) -> SandboxError:
        try:
            code = self._process.wait(timeout=1.0)
        except subprocess.TimeoutExpired:
            return SandboxCrashed("the process no longer answers")
        if code == -signal.SIGPROF:
            return SandboxExceeded(f"more than {self._limits.cpu_s:g} s of processor time")
        how = signal.Signals(-code).name if code < 0 else f"exit status {code}"
        return SandboxCrashed(f"the process ended with {how}")


def _outcome(answer: dict[str, Any], limits: ProcessLimits) -> dict[str, Any]:
    if "answer" in answer:
        result: dict[str, Any] = answer["answer"]
        return result
    if "rejected" in answer:
        raise SandboxRejected(answer["rejected"], answer["message"])
    if "exceeded" in answer:
        raise SandboxExceeded(f"more than {limits.memory_bytes / 2**20:.0f} MiB of memory")
    raise SandboxCrashed(str(answer.get("crashed", "no answer")))


def _end_all(children: list[_Child]) -> None:
    for child in children:
        child.end()
