"""Threads beside the lanes, for work that takes long: there it keeps no search from its turn."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from service.runtime.threads.fairness import FairQueue
from service.runtime.threads.jobs import Job

_NICER = 10  # of the system's steps: beside a thread that is not, one gets a tenth of a CPU
_NICEST = 19


class Aside:
    """Some threads that take jobs, the tenants by turns."""

    def __init__(self, threads: int, name: str, run: Callable[[Job], None], *, stands_back: bool = False) -> None:
        """`run` runs a job. `stands_back`: the threads get what CPU time others leave, where the system can (Linux)."""
        self._jobs: FairQueue[Job] = FairQueue()
        self._run = run
        self._threads = ThreadPoolExecutor(
            threads, thread_name_prefix=name, initializer=_stand_back if stands_back else None
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


def _stand_back() -> None:
    # Elsewhere a priority is the whole process's, and this would be that of the searches, too.
    if sys.platform == "linux":
        own = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, own, min(_NICEST, os.getpriority(os.PRIO_PROCESS, own) + _NICER))
