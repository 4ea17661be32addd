"""How many processes serve where nobody says so."""

from __future__ import annotations

from models.bundle import cpu_quota, memory_limit
from service.config import Settings

_MOST = 8  # further CPUs are used by threads: each process keeps an encoder of its own, and opens galleries by itself
_PROCESS_BYTES = 256 * 2**20  # one with the demo gallery takes 140 MB, and a request some more


def process_count(settings: Settings, *, counts_requests: bool) -> int:
    """Processes for `settings`: a process computes on as many CPUs as it has threads, but Python on one of them.

    `counts_requests`: whether requests are counted in the process's memory. Several would each allow the whole limit.
    """
    if settings.workers is not None:
        return settings.workers
    if settings.threads is not None or counts_requests or settings.runtime.may_use_gpu:
        return 1
    room = memory_limit()
    return max(1, min(cpu_quota(), _MOST, _MOST if room is None else room // _PROCESS_BYTES))
