"""A Ray cluster as workers: one actor per GPU, or per few CPUs where there is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from index_builder.cluster.schedule import Pending, Worker, WorkerLost
from index_builder.cluster.worker import PartitionTask, PartitionWriter, WorkerSpec, WrittenPartition
from index_builder.errors import ClusterUnavailable
from models.errors import InkseekError

_MOST_THREADS = 4  # of a worker on CPUs: each has an encoder of its own in memory


class RayCluster:
    """A `Cluster` of Ray actors. Ray restarts none: which machine takes over is decided here."""

    def __init__(self, ray: Any, spec: WorkerSpec) -> None:
        """`ray`: the module, connected; `spec`: what each worker is given."""
        self._ray = ray
        nodes = [(int(node.get("CPU", 0)), int(node.get("GPU", 0))) for node in self._resources()]
        # A GPU's worker decodes for it with its share of the machine's CPUs.
        shares = [cpus // gpus for cpus, gpus in nodes if gpus]
        self._with_gpu = bool(shares)
        smallest = min((cpus for cpus, _ in nodes if cpus), default=1)
        self._cpus = spec.setup.workers or max(1, min(shares, default=min(_MOST_THREADS, smallest)))
        self._spec = ray.put(replace(spec, setup=replace(spec.setup, workers=self._cpus)))
        self._actor = ray.remote(num_cpus=self._cpus, num_gpus=int(self._with_gpu), max_restarts=0, max_task_retries=0)(
            PartitionWriter
        )

    @classmethod
    def connect(cls, spec: WorkerSpec) -> RayCluster:
        """Connect to the cluster at RAY_ADDRESS, or the one that this machine belongs to. Raises ClusterUnavailable."""
        try:
            import ray  # an extra
        except ImportError as error:
            raise ClusterUnavailable("install Inkseek with its extra ray on every node: 'inkseek[ray]'") from error
        try:
            ray.init(address="auto", ignore_reinit_error=True, log_to_driver=False, logging_level="WARNING")
        except (ConnectionError, ValueError, RuntimeError) as error:
            detail = " ".join(str(error).split())
            raise ClusterUnavailable(f"no Ray cluster: start one (ray start) or set RAY_ADDRESS ({detail})") from error
        return cls(ray, spec)

    def close(self) -> None:
        """Disconnect; the actors end with this."""
        self._ray.shutdown()

    def slots(self) -> int:
        """Actors that the nodes alive have room for, whatever else runs on them."""
        if self._with_gpu:
            return sum(int(node.get("GPU", 0)) for node in self._resources())
        return sum(int(node.get("CPU", 0)) // self._cpus for node in self._resources())

    def start(self) -> tuple[Worker, Pending]:
        """An actor, and its getting ready."""
        worker = self._actor.remote(self._spec)
        return worker, worker.ready.remote()

    def submit(self, worker: Worker, task: PartitionTask) -> Pending:
        """Let an actor write a partition."""
        return worker.write.remote(task)

    def done(self, pending: Sequence[Pending], timeout_s: float) -> Sequence[Pending]:
        """Those that are finished or lost, after at most that long."""
        if not pending:
            return []
        finished, _ = self._ray.wait(list(pending), num_returns=1, timeout=timeout_s)
        return list(finished)

    def result(self, pending: Pending) -> WrittenPartition | None:
        """What an actor's call returned. Raises WorkerLost, and what the actor raised."""
        errors = self._ray.exceptions
        try:
            written: WrittenPartition | None = self._ray.get(pending)
        except errors.RayTaskError as error:
            if isinstance(error.cause, InkseekError | OSError):
                raise error.cause from error
            raise
        except errors.RayError as error:  # the actor, its node, or the result on that node
            raise WorkerLost(" ".join(str(error).split())[:300]) from error
        return written

    def _resources(self) -> list[dict[str, float]]:
        return [node["Resources"] for node in self._ray.nodes() if node["Alive"]]
