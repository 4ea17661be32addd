"""Threads that take jobs first come first served, and encode the sketches of requests that wait anyway in one call.

An encoder takes less time for a sketch the more it gets at once, and what was just computed with is still in the
processor's caches for the next sketch. Nobody waits for company: a lane takes what is in the queue when it gets there.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from models.turns import Turns
from service.runtime.metrics import Metrics
from service.runtime.threads.aside import Aside
from service.runtime.threads.fairness import FairQueue
from service.runtime.threads.jobs import AT_ONCE, Job, Outcome, outcome_of, run_together, settle
from service.runtime.threads.loop_lane import LoopLane, Pace
from service.tracing.stages import report_in


class Lanes:
    """Used from one event loop. Work that takes long goes to threads aside, changes of a gallery to those behind."""

    def __init__(
        self,
        threads: int,
        metrics: Metrics,
        *,
        on_loop: bool = False,
        has_spare_cpus: Callable[[], bool] = lambda: False,
    ) -> None:
        """`threads`: jobs that run side by side; as many more may run aside, as many behind, and two at least of each.

        `on_loop`: while nothing else is in work, short work is done on the event loop itself: see `LoopLane`.
        `has_spare_cpus`: whether the machine has CPUs for a sketch that is alone.
        """
        self._metrics = metrics
        self._has_spare_cpus = has_spare_cpus
        self._at_work = 0  # threads with sketches
        self._counting = threading.Lock()
        self._interpreter = Turns(max(1, threads // 2))
        self._pace = Pace()
        self._loop_lane = LoopLane(self._pace, self._taken, self._put_whole, has_spare_cpus) if on_loop else None
        self._unfinished = 0  # jobs that are for threads alone: meanwhile those have the others, too
        self._jobs: FairQueue[Job] = FairQueue()
        self._turns: queue.SimpleQueue[bool] = queue.SimpleQueue()  # one for each job; False: there will be no more
        self._closing = False
        self._count = threads
        self._threads = [
            threading.Thread(target=self._work, name=f"inkseek_{number}", daemon=True) for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()
        self._aside = Aside(max(2, threads), "inkseek_aside", self._run_aside)
        self._behind = Aside(max(2, threads), "inkseek_behind", self._run_aside, stands_back=True)

    def put(self, job: Job) -> None:
        """Run it when its turn comes. Raises RuntimeError once closed."""
        if self._closing:
            raise RuntimeError("the worker threads are closed")
        self._wait_for_turn(job)
        is_for_loop = self._loop_lane is not None and self._loop_lane.takes(job)
        if self._loop_lane is not None and is_for_loop and not self._unfinished:
            self._loop_lane.put(job)
            return
        if not is_for_loop:
            self._unfinished += 1
            job.future.add_done_callback(self._finished)
        self._jobs.put(job.tenant, job)
        self._turns.put(True)

    def put_aside(self, job: Job) -> None:
        """Run its function in a thread aside."""
        self._wait_for_turn(job)
        self._aside.put(job)

    def put_behind(self, job: Job) -> None:
        """Run its function in a thread that stands back: whatever else there is to compute goes first."""
        self._wait_for_turn(job)
        self._behind.put(job)

    def close(self) -> None:
        """Drop what has not begun and wait for what has."""
        self._closing = True
        for _ in self._threads:
            self._turns.put(False)
        for thread in self._threads:
            thread.join()
        self._aside.close()
        self._behind.close()

    def _finished(self, _: asyncio.Future[Any]) -> None:
        self._unfinished -= 1

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
        now = time.perf_counter()
        self._metrics.observe_stages({"wait": (now - job.queued) * 1000})
        report_in(job.context, "wait", job.queued, now)
        if self._closing:
            _deliver([Outcome(job, error=asyncio.CancelledError())])
        return not self._closing

    def _work(self) -> None:
        following: Job | None = None
        while (job := following or self._next(block=True)) is not None:
            jobs = [job]
            # Where several lanes are free, the sketches that wait are theirs as well.
            most = min(AT_ONCE, 1 + self._turns.qsize() // self._count) if job.work else 1
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
            began_s = time.thread_time()
            with self._counted():
                outcomes = run_together(jobs, self._put_whole, self._is_alone, self._interpreter)
            self._pace.spent(began_s, len(jobs))
            _deliver(outcomes)
        else:
            _deliver([outcome_of(job, job.function) for job in jobs])

    @contextmanager
    def _counted(self) -> Iterator[None]:
        with self._counting:
            self._at_work += 1
        try:
            yield
        finally:
            with self._counting:
                self._at_work -= 1

    def _is_alone(self) -> bool:
        return self._at_work == 1 and self._turns.empty() and self._has_spare_cpus()

    def _put_whole(self, job: Job) -> None:
        job.queued = time.perf_counter()
        self._aside.put(job)

    def _whole(self, job: Job) -> None:
        assert job.work is not None
        outcome = Outcome(job)
        if not job.future.cancelled():  # only looked at: whoever gave up meanwhile is spared the work
            outcome = outcome_of(job, job.work.whole)
        job.work.end()
        _deliver([outcome])

    def _run_aside(self, job: Job) -> None:
        if job.work is not None:  # claimed before
            self._whole(job)
        elif self._taken(job):
            _deliver([outcome_of(job, job.function)])


def _deliver(outcomes: Sequence[Outcome]) -> None:
    """Hand them to the event loop, all in one go."""
    if not outcomes:
        return
    try:
        outcomes[0].job.future.get_loop().call_soon_threadsafe(settle, outcomes)
    except RuntimeError:
        return  # the loop is closed: nobody waits any more
