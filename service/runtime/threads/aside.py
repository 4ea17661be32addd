"""Threads beside the lanes, for work that takes long: there it keeps no search from its turn."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from service.runtime.priority import stand_back
from service.runtime.threads.fairness import FairQueue
from service.runtime.threads.jobs import Job


class Aside:
    """Some threads that take jobs, the tenants by turns."""

    def __init__(self, threads: int, name: str, run: Callable[[Job], None], *, stands_back: bool = False) -> None:
        """`run` runs a job. `stands_back`: the threads get what CPU time others leave, where the system can (Linux)."""
        self._jobs: FairQueue[Job] = FairQueue()
        self._run = run
        self._threads = ThreadPoolExecutor(
            threads, thread_name_prefix=name, initializer=stand_back if stands_back else None
        )

    def put(self, job: Job) -> None:
        """Run it when its turn comes. Raises RuntimeError once closed."""
        self._jobs.put(job.tenant, job)
        self._threads.submit(self._take_one)

    def close(self) -> None:
        """Drop nothing, and wait for all."""
        self._threads.shutdown(wait=True)

    def _take_one(self) -> None:
        self._run(self._jobs.take())
