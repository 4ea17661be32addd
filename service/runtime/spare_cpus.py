"""Whether the machine has CPUs that nobody else computes on, by its own counters (Linux)."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_LOOK_S = 0.25
_TICK_S = 0.02  # the counters advance by hundredths of a second
_SLACK = 0.4  # of a CPU: what a client on the same machine takes, and others now and then
_STAT = Path("/proc/stat")
_WAITS = (1, 3, 4)  # nice, idle and iowait: who stands back is no reason to stand back as well
_COLUMNS = 8  # those behind are parts of these


@dataclass(frozen=True, slots=True)
class CpuTimes:
    """Seconds since some moment: of the clock, of all CPUs' work, and of this process's part in it."""

    clock: float
    busy: float
    own: float


def cpu_times() -> CpuTimes | None:
    """Those of now; None where the system does not tell."""
    try:
        line = _STAT.read_text(encoding="ascii").partition("\n")[0]
    except OSError:
        return None
    counted = [int(ticks) for ticks in line.split()[1 : _COLUMNS + 1]]
    busy = sum(ticks for column, ticks in enumerate(counted) if column not in _WAITS)
    return CpuTimes(time.monotonic(), busy / os.sysconf("SC_CLK_TCK"), time.process_time())


class SpareCpus:
    """Looks again after a quarter of a second, so that asking costs next to nothing."""

    def __init__(
        self,
        wanted: int,
        cpus: int | None = None,
        times: Callable[[], CpuTimes | None] = cpu_times,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`wanted`: CPUs that a call would use; of one it never asks. `cpus`: of the machine, None: this one's."""
        self._wanted = wanted
        self._cpus = cpus or os.cpu_count() or 1
        self._times = times
        self._clock = clock
        self._seen = times() if wanted > 1 and self._cpus >= wanted else None
        self._look_at = clock() + _LOOK_S
        self._are_there = False

    def __call__(self) -> bool:
        """Whether the others left so many CPUs idle of late; False until that is known."""
        if self._seen is not None and self._clock() >= self._look_at:
            self._look(self._seen)
        return self._are_there

    def _look(self, before: CpuTimes) -> None:
        now = self._times()
        self._seen, self._look_at = now, self._clock() + _LOOK_S
        if now is None:
            self._are_there = False
            return
        busy, own = now.busy - before.busy, now.own - before.own
        others = max(0.0, busy - own) / (now.clock - before.clock)
        # Some sandboxes count nothing: then this process's own work is missing, too.
        self._are_there = busy >= own / 2 - _TICK_S and self._cpus - others >= self._wanted - _SLACK
