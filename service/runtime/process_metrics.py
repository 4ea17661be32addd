"""Memory, processor time and open files of all worker processes together, under the names they have for one process."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from prometheus_client import Metric, ProcessCollector
from prometheus_client.registry import Collector

_LIVING = re.compile(r"gauge_livesum_(\d+)\.db")
_OF_ONE = {"process_start_time_seconds": max, "process_max_fds": min}  # what cannot be summed


class WorkerProcesses(Collector):
    """What prometheus_client's multiprocess mode leaves out. Memory that processes share counts for each of them."""

    def __init__(self, folder: Path) -> None:
        """`folder`: of the multiprocess mode, where each living worker has its files."""
        self._folder = folder

    def collect(self) -> Iterable[Metric]:
        """Sums over workers; the youngest one's start, the least limit of open files."""
        found: dict[str, Metric] = {}
        for pid in self._pids():
            for metric in ProcessCollector(pid=lambda pid=pid: pid, registry=None).collect():  # type: ignore[misc]
                kept = found.setdefault(metric.name, metric)
                if kept is not metric:
                    combine = _OF_ONE.get(metric.name, _sum)
                    value = combine(kept.samples[0].value, metric.samples[0].value)
                    kept.samples = [kept.samples[0]._replace(value=value)]
        return found.values()

    def _pids(self) -> list[int]:
        names = (_LIVING.fullmatch(path.name) for path in self._folder.glob("gauge_livesum_*.db"))
        return sorted(int(name[1]) for name in names if name)


def _sum(first: float, second: float) -> float:
    return first + second
