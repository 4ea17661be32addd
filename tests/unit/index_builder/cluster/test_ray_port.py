"""What is asked of Ray, on a stand-in for its module; `tests/end_to_end/test_ray_cluster.py` has the real one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from index_builder.cluster.ray_cluster import RayCluster
from index_builder.cluster.schedule import WorkerLost
from index_builder.cluster.worker import PartitionTask, WorkerSpec, WrittenPartition
from index_builder.embedding.setup import EmbeddingSetup
from index_builder.errors import SourceUnavailable
from index_builder.segments.partition_writing import PartitionContent
from index_builder.sources.choice import open_source
from models.bundle import ImageLimits, Runtime


class RayError(Exception):
    """Ray's own: an actor, a node or an object is lost."""


class RayTaskError(RayError):
    """Ray's wrapper of what a task raised."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(str(cause))
        self.cause = cause


class Ray:
    """Nodes by their resources; a pending call is a function that gives its result or raises."""

    exceptions = SimpleNamespace(RayError=RayError, RayTaskError=RayTaskError)

    def __init__(self, *nodes: dict[str, float]) -> None:
        self.resources = list(nodes)
        self.options: dict[str, Any] = {}
        self.spec: WorkerSpec | None = None

    def nodes(self) -> list[dict[str, Any]]:
        return [{"Alive": bool(resources), "Resources": resources} for resources in self.resources]

    def put(self, spec: WorkerSpec) -> WorkerSpec:
        self.spec = spec
        return spec

    def remote(self, **options: Any) -> Callable[[type], Any]:
        self.options = options
        return lambda kind: SimpleNamespace(remote=kind)

    def get(self, pending: Callable[[], Any]) -> Any:
        return pending()

    def wait(self, pending: list[Any], num_returns: int, timeout: float) -> tuple[list[Any], list[Any]]:
        return pending[:num_returns], pending[num_returns:]


@pytest.fixture
def spec(photos: Path) -> WorkerSpec:
    setup = EmbeddingSetup(ImageLimits(), 2**28)
    return WorkerSpec(open_source(photos), "small", Runtime(), PartitionContent("b", 8, ()), setup, photos.parent)


@pytest.mark.parametrize(
    ("nodes", "slots", "cpus", "gpus"),
    [
        ([{"CPU": 8}, {"CPU": 16}], 6, 4, 0),
        ([{"CPU": 2}, {"CPU": 5}], 3, 2, 0),
        ([{"CPU": 16, "GPU": 4}, {"CPU": 32}], 4, 4, 1),
        ([{"CPU": 16, "GPU": 1}, {"CPU": 2, "GPU": 4}], 5, 1, 1),
        ([{"CPU": 0, "memory": 1}, {"CPU": 1}], 1, 1, 0),
    ],
)
def test_there_is_a_worker_for_each_gpu_or_for_a_few_cpus(
    spec: WorkerSpec, nodes: list[dict[str, float]], slots: int, cpus: int, gpus: int
) -> None:
    ray = Ray(*nodes)
    cluster = RayCluster(ray, spec)
    assert cluster.slots() == slots
    assert (ray.options["num_cpus"], ray.options["num_gpus"]) == (cpus, gpus)
    assert (ray.options["max_restarts"], ray.options["max_task_retries"]) == (0, 0)
    assert ray.spec is not None
    assert ray.spec.setup.workers == cpus


def test_slots_follow_the_nodes_that_are_alive(spec: WorkerSpec) -> None:
    ray = Ray({"CPU": 4}, {"CPU": 4})
    cluster = RayCluster(ray, spec)
    assert cluster.slots() == 2
    ray.resources[1] = {}
    assert cluster.slots() == 1
    ray.resources.append({"CPU": 12})
    assert cluster.slots() == 4


def test_what_a_worker_raised_is_raised_and_what_ray_lost_is_done_again(spec: WorkerSpec) -> None:
    cluster = RayCluster(Ray({"CPU": 4}), spec)
    written = WrittenPartition("p", None, {})

    def failing(error: Exception) -> Callable[[], None]:
        def pending() -> None:
            raise error

        return pending

    assert cluster.result(lambda: written) is written
    with pytest.raises(SourceUnavailable, match="no credentials"):
        cluster.result(failing(RayTaskError(SourceUnavailable("no credentials"))))
    with pytest.raises(OSError, match="disk"):
        cluster.result(failing(RayTaskError(OSError("the disk is full"))))
    with pytest.raises(RayTaskError):
        cluster.result(failing(RayTaskError(ZeroDivisionError("a bug"))))
    with pytest.raises(WorkerLost, match="the node died"):
        cluster.result(failing(RayError("the node\ndied")))


def test_calls_go_to_the_actor(spec: WorkerSpec) -> None:
    calls: list[PartitionTask] = []
    cluster = RayCluster(Ray({"CPU": 4}), spec)
    worker = SimpleNamespace(write=SimpleNamespace(remote=calls.append))
    task = PartitionTask("p", ())
    cluster.submit(worker, task)
    assert calls == [task]
    assert cluster.done([], 1.0) == []
    assert cluster.done(["a", "b"], 1.0) == ["a"]
