"""Where blocking work runs: as many threads as CPUs, and a bounded number of requests waiting for them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from typing import Any, Generic, TypeVar

from service.errors import ClientGone, DeadlineExceeded, QueueFull
from service.runtime.fairness import FairQueue, Shares
from service.runtime.metrics import Metrics

T = TypeVar("T")
Receive = Callable[[], Awaitable[Any]]


class Workers:
    """Worker threads with admission control. Used from one event loop."""

    def __init__(self, threads: int, queue_size: int, timeout_s: float, metrics: Metrics) -> None:
        """`queue_size`: requests that may wait beside the `threads` being answered; `timeout_s`: longest wait."""
        self.threads = threads
        self.timeout_s = timeout_s
        self._shares = Shares(threads + queue_size)
        self._jobs: FairQueue[_Job[Any]] = FairQueue()
        self._metrics = metrics
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="inkseek")
        metrics.threads.set(threads)
        metrics.queue_limit.set(queue_size)

    def reject_when_full(self, tenant: str | None = None) -> None:
        """Raises QueueFull; called before a body is read that no thread will have time for. `tenant`: see `Shares`."""
        if self._shares.is_full(tenant):
            self._metrics.rejected.labels("queue_full").inc()
            raise QueueFull(
                f"{self._shares.places} requests are being answered or waiting, which is as many as may"
                if self._shares.is_full(None)
                else "this key has as many requests of this gallery in work as there are places left for others"
            )

    @contextmanager
    def admission(self, tenant: str | None = None) -> Iterator[None]:
        """Admits one request for the duration of the block, whatever number of jobs it runs. Raises QueueFull."""
        self.reject_when_full(tenant)
        with self._shares.place(tenant):
            yield

    async def run(self, job: Callable[[], T], tenant: str | None = None) -> T:
        """Run `job` in a worker thread: the tenants by turns, each one's jobs in their order.

        Cancelled before its turn, it never runs.
        """
        # The request's id is a context variable, which threads of an executor do not inherit.
        context = copy_context()
        queued = time.perf_counter()
        self._metrics.queue.inc()

        def take_up() -> T:
            self._metrics.queue.dec()
            self._metrics.observe_stages({"wait": (time.perf_counter() - queued) * 1000})
            return context.run(job)

        queued_job = _Job(take_up)
        # A job that is cancelled before its turn never reaches `take_up`, which would count it out of the queue.
        queued_job.future.add_done_callback(lambda done: self._metrics.queue.dec() if done.cancelled() else None)
        self._jobs.put(tenant or "", queued_job)
        self._executor.submit(self._run_next)
        return await asyncio.wrap_future(queued_job.future)

    async def answer(self, work: Awaitable[T], receive: Receive) -> T:
        """Wait for `work`, but not beyond the deadline, nor for a client that is gone.

        `receive` is the request's ASGI channel, its body read. Raises DeadlineExceeded, ClientGone.
        """
        task = asyncio.ensure_future(work)
        gone = asyncio.ensure_future(_disconnected(receive))
        try:
            await asyncio.wait({task, gone}, timeout=self.timeout_s, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return task.result()
            if gone.done():
                self._metrics.rejected.labels("client_gone").inc()
                raise ClientGone("the client closed the connection before the answer was there")
            self._metrics.rejected.labels("deadline").inc()
            raise DeadlineExceeded(f"there was no answer within {self.timeout_s:g} s")
        finally:
            gone.cancel()
            # This drops jobs that wait for a thread; one that has begun cannot be stopped, and its result is not used.
            task.cancel()

    def close(self) -> None:
        """Drop what has not begun and wait for what has."""
        self._executor.shutdown(wait=True, cancel_futures=True)
        for job in self._jobs.drain():
            job.future.cancel()

    def _run_next(self) -> None:
        # One call of this was queued for each job: whose job it runs is decided only now.
        self._jobs.take().run()


class _Job(Generic[T]):
    """A call that waits for a thread, and what comes of it."""

    def __init__(self, call: Callable[[], T]) -> None:
        self.future: Future[T] = Future()
        self._call = call

    def run(self) -> None:
        if not self.future.set_running_or_notify_cancel():
            return
        try:
            self.future.set_result(self._call())
        except BaseException as error:
            self.future.set_exception(error)
            # The error's traceback holds this frame: with the job in it, a cycle would keep images for long.
            del self


class AdaptationSlots:
    """Bounds how many requests with examples are answered at once: they take longer than searches."""

    def __init__(self, at_once: int, metrics: Metrics) -> None:
        """`at_once`: as many as may be answered at the same time."""
        self._shares = Shares(at_once)
        self._metrics = metrics

    def reject_when_full(self, tenant: str | None = None) -> None:
        """Raises QueueFull; called before a body is read that no slot would be free for."""
        if self._shares.is_full(tenant):
            self._metrics.rejected.labels("queue_full").inc()
            raise QueueFull("as many adapters are being fitted as may be at once")

    @contextmanager
    def admission(self, tenant: str | None = None) -> Iterator[None]:
        """One slot, for the duration of the block. Raises QueueFull."""
        self.reject_when_full(tenant)
        with self._shares.place(tenant):
            yield


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
