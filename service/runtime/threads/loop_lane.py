"""Short work on the event loop itself, for a process that has one CPU to compute on.

A thread beside the loop gains nothing there: the two take turns at the interpreter and at the CPU, and each answer
takes two hand-overs, of 0.1 ms and more. Instead the loop encodes what waits, and reads and writes between two calls.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

from service.runtime.threads.fairness import FairQueue
from service.runtime.threads.jobs import AT_ONCE, Job, run_together, settle

_LONGEST_MS = 25.0  # the loop reads and writes nothing meanwhile
_MOST_MS = 12.0  # per sketch: slower encoders and galleries have threads
_WEIGHT = 0.25


class Pace:
    """CPU time per sketch, of the last few; from any thread."""

    def __init__(self) -> None:
        """Not known yet."""
        self.sketch_ms: float | None = None

    def spent(self, began_s: float, count: int) -> None:
        """This thread has worked on so many sketches since `time.thread_time` said `began_s`."""
        if count:
            spent_ms = (time.thread_time() - began_s) * 1000 / count
            self.sketch_ms = (
                spent_ms if self.sketch_ms is None else self.sketch_ms + _WEIGHT * (spent_ms - self.sketch_ms)
            )


class LoopLane:
    """Runs jobs on the event loop that puts them, as many at once as do not keep it for long."""

    def __init__(
        self,
        pace: Pace,
        taken: Callable[[Job], bool],
        aside: Callable[[Job], None],
        has_spare_cpus: Callable[[], bool],
    ) -> None:
        """`taken`: whether a job whose turn has come is still to be run; `aside`: runs one that takes long.

        `has_spare_cpus`: whether the machine has CPUs for a sketch that is alone.
        """
        self._pace = pace
        self._taken = taken
        self._aside = aside
        self._has_spare_cpus = has_spare_cpus
        self._jobs: FairQueue[Job] = FairQueue()
        self._waiting = 0
        self._is_due = False

    def takes(self, job: Job) -> bool:
        """Whether it is short work, as far as is known."""
        sketch_ms = self._pace.sketch_ms
        return job.work is not None and job.work.is_short and (sketch_ms is None or sketch_ms <= _MOST_MS)

    def put(self, job: Job) -> None:
        """Run it when its turn comes: behind what this turn of the loop has read, which may be encoded with it."""
        self._jobs.put(job.tenant, job)
        self._waiting += 1
        if not self._is_due:
            self._is_due = True
            asyncio.get_running_loop().call_soon(self._turn)

    def _turn(self) -> None:
        try:
            jobs = self._next(max(1, min(AT_ONCE, int(_LONGEST_MS / (self._pace.sketch_ms or _LONGEST_MS)))))
            began_s = time.thread_time()
            outcomes = run_together(jobs, self._aside, self._is_alone)
            self._pace.spent(began_s, len(jobs))
            settle(outcomes)
        finally:  # a fault that nobody foresaw is the event loop's to log, and keeps nobody else from its turn
            self._is_due = self._waiting > 0
            if self._is_due:
                # By way of another turn of the loop: uvloop sends what is written in one when that turn is over.
                loop = asyncio.get_running_loop()
                loop.call_soon(loop.call_soon, self._turn)

    def _is_alone(self) -> bool:
        return not self._waiting and self._has_spare_cpus()

    def _next(self, most: int) -> Sequence[Job]:
        jobs: list[Job] = []
        while self._waiting and len(jobs) < most:
            self._waiting -= 1
            job = self._jobs.take()
            # Whoever has given up is dropped by the callback of its future, which comes after this.
            if not job.future.cancelled() and self._taken(job):
                jobs.append(job)
        return jobs
