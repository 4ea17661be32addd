"""Threads that take jobs first come first served, and encode the sketches of requests that wait anyway in one call.

An encoder takes less time for a sketch the more it gets at once, and what was just computed with is still in the
processor's caches for the next sketch. Nobody waits for company: a lane takes what is in the queue when it gets there.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import numpy as np

from models.arrays import Vectors
from service.runtime.metrics import Metrics
from service.runtime.threads.fairness import FairQueue

T_co = TypeVar("T_co", covariant=True)

_AT_ONCE = 4  # sketches in one call: eight take 1 % less time each, and the first of them waits twice as long


class EncoderWork(Protocol[T_co]):
    """What a request does before and after its sketch is encoded. All of one process share an encoder."""

    def begin(self) -> Vectors | None:
        """(n, 3, H, W) to be encoded; None where that takes long, and is to be done by `whole` in another thread."""

    def encode(self, inputs: Vectors) -> Vectors:
        """(B, 3, H, W) of several requests -> (B, E)."""

    def finish(self, embeddings: Vectors, encode_ms: float) -> T_co:
        """(n, E), and how long the call took that they come from -> the answer."""

    def whole(self) -> T_co:
        """The answer, after a `begin` that returned None."""

    def end(self) -> None:
        """Called once after `begin`, whatever came of it."""


@dataclass(slots=True)
class Job:
    """A function or an EncoderWork, in the context of who sent it; `future` is that one's, `tenant` takes turns."""

    future: asyncio.Future[Any]
    tenant: str = ""
    function: Callable[[], Any] | None = None
    work: EncoderWork[Any] | None = None
    queued: float = field(default_factory=time.perf_counter)
    context: Context = field(default_factory=copy_context)  # the request's id is a context variable
    _unclaimed: list[None] = field(default_factory=lambda: [None])

    def claim(self) -> bool:
        """Whether the caller is the first: either the thread that runs the job, or who drops it before its turn."""
        try:
            self._unclaimed.pop()  # atomic
        except IndexError:
            return False
        return True


@dataclass(slots=True)
class _Outcome:
    job: Job
    result: Any = None
    error: BaseException | None = None


class Lanes:
    """Used from one event loop. Work that takes long goes to threads `aside`, where it keeps no other from its turn."""

    def __init__(self, threads: int, metrics: Metrics) -> None:
        """`threads`: jobs that run side by side; as many more may run aside, and two at least."""
        self._metrics = metrics
        self._jobs: FairQueue[Job] = FairQueue()
        self._jobs_aside: FairQueue[Job] = FairQueue()
        self._turns: queue.SimpleQueue[bool] = queue.SimpleQueue()  # one for each job; False: there will be no more
        self._closing = False
        self._count = threads
        self._threads = [
            threading.Thread(target=self._work, name=f"inkseek_{number}", daemon=True) for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()
        self._aside = ThreadPoolExecutor(max(2, threads), thread_name_prefix="inkseek_aside")

    def put(self, job: Job) -> None:
        """Run it when its turn comes. Raises RuntimeError once closed."""
        if self._closing:
            raise RuntimeError("the worker threads are closed")
        self._wait_for_turn(job)
        self._jobs.put(job.tenant, job)
        self._turns.put(True)

    def put_aside(self, job: Job) -> None:
        """Run its function in a thread aside."""
        self._wait_for_turn(job)
        self._jobs_aside.put(job.tenant, job)
        self._aside.submit(self._run_aside)

    def close(self) -> None:
        """Drop what has not begun and wait for what has."""
        self._closing = True
        for _ in self._threads:
            self._turns.put(False)
        for thread in self._threads:
            thread.join()
        self._aside.shutdown(wait=True)

    def _wait_for_turn(self, job: Job) -> None:
        self._metrics.queue.inc()

        def count_out(future: asyncio.Future[Any]) -> None:
            if future.cancelled() and job.claim():
                self._metrics.queue.dec()

        job.future.add_done_callback(count_out)

    def _taken(self, job: Job) -> bool:
        if not job.claim():
            return False
        self._metrics.queue.dec()
        self._metrics.observe_stages({"wait": (time.perf_counter() - job.queued) * 1000})
        if self._closing:
            _deliver([_Outcome(job, error=asyncio.CancelledError())])
        return not self._closing

    def _work(self) -> None:
        following: Job | None = None
        while (job := following or self._next(block=True)) is not None:
            jobs = [job]
            # Where several lanes are free, the sketches that wait are theirs as well.
            most = min(_AT_ONCE, 1 + self._turns.qsize() // self._count) if job.work else 1
            following = None
            while len(jobs) < most and following is None and (another := self._next(block=False)) is not None:
                if another.work:
                    jobs.append(another)
                else:
                    following = another
            self._run([job for job in jobs if self._taken(job)])

    def _next(self, *, block: bool) -> Job | None:
        """The job whose turn it is; None where nothing waits, or nothing will."""
        try:
            if self._turns.get(block):
                return self._jobs.take()
        except queue.Empty:
            return None
        if not block:
            self._turns.put(False)  # for the next call, which waits
        return None

    def _run(self, jobs: Sequence[Job]) -> None:
        if jobs and jobs[0].work:
            _deliver(self._together(jobs))
        else:
            _deliver([_outcome(job, job.function) for job in jobs])

    def _together(self, jobs: Sequence[Job]) -> list[_Outcome]:
        done: list[_Outcome] = []
        begun: list[tuple[Job, EncoderWork[Any], Vectors]] = []
        for job in jobs:
            assert job.work is not None
            outcome = _outcome(job, job.work.begin)
            if outcome.error is not None:
                job.work.end()
                done.append(outcome)
            elif outcome.result is None:
                job.queued = time.perf_counter()
                self._aside.submit(self._whole, job)
            else:
                begun.append((job, job.work, outcome.result))
        return done + (_encoded(begun) if begun else [])

    def _whole(self, job: Job) -> None:
        assert job.work is not None
        outcome = _Outcome(job)
        if not job.future.cancelled():  # only looked at: whoever gave up meanwhile is spared the work
            outcome = _outcome(job, job.work.whole)
        job.work.end()
        _deliver([outcome])

    def _run_aside(self) -> None:
        job = self._jobs_aside.take()
        if self._taken(job):
            _deliver([_outcome(job, job.function)])


def _encoded(begun: Sequence[tuple[Job, EncoderWork[Any], Vectors]]) -> list[_Outcome]:
    """One call of the encoder for all, then each by itself."""
    started = time.perf_counter()
    inputs = begun[0][2] if len(begun) == 1 else np.concatenate([rows for _, _, rows in begun])
    encoded = _outcome(begun[0][0], lambda: begun[0][1].encode(inputs))
    encode_ms = (time.perf_counter() - started) * 1000
    outcomes, start = [], 0
    for job, work, rows in begun:
        if encoded.error is not None:
            outcomes.append(_Outcome(job, error=encoded.error))
        else:
            embeddings = encoded.result[start : start + len(rows)]
            outcomes.append(_outcome(job, lambda work=work, own=embeddings: work.finish(own, encode_ms)))  # type: ignore[misc]
        work.end()
        start += len(rows)
    return outcomes


def _outcome(job: Job, function: Callable[[], Any] | None) -> _Outcome:
    assert function is not None
    outcome = _Outcome(job)
    try:
        outcome.result = job.context.run(function)
    except BaseException as error:  # it is for whoever waits: the thread goes on
        # Without this frame, which holds the job: it would be a cycle, and keep images for long.
        outcome.error = error.with_traceback(error.__traceback__ and error.__traceback__.tb_next)
    return outcome


def _deliver(outcomes: Sequence[_Outcome]) -> None:
    """Hand them to the event loop, all in one go."""
    if not outcomes:
        return
    try:
        outcomes[0].job.future.get_loop().call_soon_threadsafe(_settle, outcomes)
    except RuntimeError:
        return  # the loop is closed: nobody waits any more


def _settle(outcomes: Sequence[_Outcome]) -> None:
    for outcome in outcomes:
        future = outcome.job.future
        if future.done():
            continue
        if outcome.error is None:
            future.set_result(outcome.result)
        elif isinstance(outcome.error, asyncio.CancelledError):
            future.cancel()
        else:
            future.set_exception(outcome.error)
