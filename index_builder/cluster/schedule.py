"""Which worker writes which partition: a few tasks in flight, and those of a lost worker given to another one."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, Protocol, TypeAlias

from index_builder.cluster.worker import PartitionTask, WrittenPartition
from index_builder.errors import ClusterUnavailable

ATTEMPTS: Final = 5  # of one partition: a photo that takes its worker down does so again
_LOST_WHILE_STARTING: Final = 20
_LOOK_S: Final = 1.0

Worker: TypeAlias = Any
Pending: TypeAlias = Any


class WorkerLost(Exception):
    """The worker is gone, with its process or its machine; what it was doing has to be done again."""


class Cluster(Protocol):
    """Machines that workers run on. What a call of a worker returns is pending until `result`."""

    def slots(self) -> int:
        """Workers that there is room for on the machines there are now."""

    def start(self) -> tuple[Worker, Pending]:
        """A new worker, and its getting ready."""

    def submit(self, worker: Worker, task: PartitionTask) -> Pending:
        """Let a worker that is ready write a partition."""

    def done(self, pending: Sequence[Pending], timeout_s: float) -> Sequence[Pending]:
        """Those that are finished or lost, after at most that long."""

    def result(self, pending: Pending) -> WrittenPartition | None:
        """What is done. Raises WorkerLost, and what the worker raised."""


class Schedule:
    """One run of tasks over a cluster."""

    def __init__(self, cluster: Cluster, tasks: Iterable[PartitionTask], *, patience_s: float = 60.0) -> None:
        """`tasks` are drawn as workers are free. `patience_s`: how long a cluster may be without any worker."""
        self._cluster = cluster
        self._tasks = iter(tasks)
        self._again: deque[PartitionTask] = deque()
        self._attempts: Counter[str] = Counter()
        self._lost_starting = 0
        self._starting: dict[Pending, Worker] = {}
        self._busy: dict[Pending, tuple[Worker, PartitionTask]] = {}
        self._idle: list[Worker] = []
        self._patience_s = patience_s

    def run(self) -> Iterator[WrittenPartition]:
        """Each partition once, as it is finished. Raises ClusterUnavailable, and what a worker raised."""
        last_seen = time.monotonic()
        while self._assigned():
            if self._starting or self._busy:
                last_seen = time.monotonic()
            elif time.monotonic() - last_seen > self._patience_s:
                raise ClusterUnavailable("the cluster has no machine left with room for a worker")
            pending = [*self._starting, *self._busy]
            for finished in self._cluster.done(pending, _LOOK_S):
                written = self._finished(finished)
                if written is not None:
                    yield written

    def _assigned(self) -> bool:
        """Whether there is anything to wait for, once workers are started and have their tasks."""
        while self._idle and self._has_more():
            worker, task = self._idle.pop(), self._again.popleft()
            self._busy[self._cluster.submit(worker, task)] = (worker, task)
        if self._has_more():
            for _ in range(self._cluster.slots() - len(self._starting) - len(self._busy) - len(self._idle)):
                worker, pending = self._cluster.start()
                self._starting[pending] = worker
        return bool(self._again or self._busy)

    def _has_more(self) -> bool:
        if not self._again and (task := next(self._tasks, None)) is not None:
            self._again.append(task)
        return bool(self._again)

    def _finished(self, pending: Pending) -> WrittenPartition | None:
        if pending in self._starting:
            worker = self._starting.pop(pending)
            try:
                self._cluster.result(pending)
            except WorkerLost as error:
                self._lost_starting += 1
                if self._lost_starting > _LOST_WHILE_STARTING:
                    raise ClusterUnavailable(f"workers die while they start: {error}") from error
                return None
            self._idle.append(worker)
            return None
        worker, task = self._busy.pop(pending)
        try:
            written = self._cluster.result(pending)
        except WorkerLost as error:
            self._attempts[task.name] += 1
            if self._attempts[task.name] >= ATTEMPTS:
                first, last = task.photos[0].path, task.photos[-1].path
                raise ClusterUnavailable(
                    f"{ATTEMPTS} workers were lost over the photos from {first} to {last}: {error}"
                ) from error
            self._again.append(task)
            return None
        self._idle.append(worker)
        return written
