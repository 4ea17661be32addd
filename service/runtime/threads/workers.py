"""Where blocking work runs: threads that take turns, and a bounded number of requests waiting for them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from models.errors import InkseekError
from service.errors import ClientGone, DeadlineExceeded, QueueFull
from service.runtime.metrics import Metrics
from service.runtime.threads.fairness import Shares
from service.runtime.threads.jobs import EncoderWork, Job
from service.runtime.threads.lanes import Lanes

T = TypeVar("T")
Receive = Callable[[], Awaitable[Any]]

# Most answers are there by then, and need nobody who watches for the client: that takes as long as reading the request.
_UNWATCHED_S = 0.1


class Workers:
    """Worker threads with admission control. Used from one event loop."""

    def __init__(
        self,
        threads: int,
        queue_size: int,
        timeout_s: float,
        metrics: Metrics,
        *,
        on_loop: bool = False,
        has_spare_cpus: Callable[[], bool] = lambda: False,
    ) -> None:
        """`queue_size`: requests that may wait beside the `threads` being answered; `timeout_s`: longest wait.

        `on_loop`: short work may be done on the event loop itself, for a process with one thread.
        `has_spare_cpus`: whether the machine has CPUs for a sketch that nothing else is in work beside.
        """
        self.threads = threads
        self.on_loop = on_loop
        self.timeout_s = timeout_s
        self._shares = Shares(threads + queue_size)
        self._metrics = metrics
        self._lanes = Lanes(threads, metrics, on_loop=on_loop, has_spare_cpus=has_spare_cpus)
        self._rejected = metrics.rejected.labels("queue_full")
        metrics.threads.set(threads)
        metrics.queue_limit.set(queue_size)

    @property
    def free(self) -> int:
        """How many more requests would be admitted."""
        return self._shares.free

    def count_rejected(self) -> None:
        """Count one that was not admitted because of that."""
        self._rejected.inc()

    def reject_when_full(self, tenant: str | None = None) -> None:
        """Raises QueueFull; called before a body is read that no thread will have time for. `tenant`: see `Shares`."""
        if self._shares.is_full(tenant):
            self.count_rejected()
            raise QueueFull(
                f"{self._shares.places} requests are being answered or waiting, which is as many as may"
                if self._shares.is_full(None)
                else "this key has as many requests of this gallery in work as there are places left for others"
            )

    def take_place(self, tenant: str | None) -> bool:
        """Admit one request, until its place is given back; False where it is not."""
        if self._shares.is_full(tenant):
            return False
        self._shares.take(tenant)
        return True

    def give_place_back(self, tenant: str | None) -> None:
        """Make room for another request."""
        self._shares.give_back(tenant)

    @contextmanager
    def admission(self, tenant: str | None = None) -> Iterator[None]:
        """Admits one request for the duration of the block, whatever number of jobs it runs. Raises QueueFull."""
        self.reject_when_full(tenant)
        with self._shares.place(tenant):
            yield

    def run(self, job: Callable[[], T], tenant: str | None = None) -> asyncio.Future[T]:
        """Run `job` in a worker thread: the tenants by turns, each one's jobs in their order.

        Cancelled before its turn, it never runs.
        """
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._lanes.put(Job(future, tenant or "", function=job))
        return future

    def encode(self, work: EncoderWork[T], tenant: str | None = None) -> asyncio.Future[T]:
        """The same for work around an encoder's call, which it may share with others that wait."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._lanes.put(Job(future, tenant or "", work=work))
        return future

    def run_aside(self, job: Callable[[], T], tenant: str | None = None) -> asyncio.Future[T]:
        """Run a `job` that takes long in a thread where it keeps no search from its turn."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._lanes.put_aside(Job(future, tenant or "", function=job))
        return future

    def run_behind(self, job: Callable[[], T], tenant: str | None = None) -> asyncio.Future[T]:
        """The same for a change of the gallery, which gets the CPU time that searches leave."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._lanes.put_behind(Job(future, tenant or "", function=job))
        return future

    async def answer(self, work: Awaitable[T], receive: Receive) -> T:
        """Wait for `work`, but not beyond the deadline, nor for a client that is gone.

        `receive` is the request's ASGI channel, its body read. Raises DeadlineExceeded, ClientGone.
        """
        task = asyncio.ensure_future(work)
        watch = _Watch(task, receive, self.timeout_s)
        try:
            return await task
        except asyncio.CancelledError:
            if watch.fault is None:
                raise
            self._metrics.rejected.labels("client_gone" if isinstance(watch.fault, ClientGone) else "deadline").inc()
            raise watch.fault from None
        finally:
            watch.end()
            # This drops jobs that wait for a thread; one that has begun cannot be stopped, and its result is not used.
            task.cancel()

    def close(self) -> None:
        """Drop what has not begun and wait for what has."""
        self._lanes.close()


class _Watch:
    """Cancels a task at its deadline, and when nobody waits for it any more; `fault` then says why."""

    def __init__(self, task: asyncio.Future[Any], receive: Receive, timeout_s: float) -> None:
        self.fault: InkseekError | None = None
        self._task = task
        self._receive = receive
        self._timeout_s = timeout_s
        self._watching: asyncio.Task[None] | None = None
        self._unwatched_s = min(_UNWATCHED_S, timeout_s / 2)
        self._timer = asyncio.get_running_loop().call_later(self._unwatched_s, self._begin)

    def end(self) -> None:
        self._timer.cancel()
        if self._watching is not None:
            self._watching.cancel()

    def _begin(self) -> None:
        self._watching = asyncio.get_running_loop().create_task(self._watch())

    async def _watch(self) -> None:
        try:
            async with asyncio.timeout(self._timeout_s - self._unwatched_s):
                while (await self._receive())["type"] != "http.disconnect":
                    pass
        except TimeoutError:
            self.fault = DeadlineExceeded(f"there was no answer within {self._timeout_s:g} s")
        else:
            self.fault = ClientGone("the client closed the connection before the answer was there")
        self._task.cancel()
