"""Partitions by workers that die, on a cluster that is this process. `tests/end_to_end/test_ray_cluster.py` has Ray."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest

from index_builder.artifact import layout
from index_builder.build import BuildRequest, build_index
from index_builder.cluster.partitions import placed
from index_builder.cluster.schedule import ATTEMPTS, Schedule, WorkerLost
from index_builder.cluster.worker import PartitionTask, PartitionWriter, WorkerSpec, WrittenPartition
from index_builder.embedding.setup import EmbeddingSetup
from index_builder.errors import BuildError, ClusterUnavailable, SourceUnavailable
from index_builder.segments.partition_writing import PartitionContent
from index_builder.segments.partitions import PARTITION, read_intact
from index_builder.sources.base import SourcePhoto
from index_builder.sources.choice import open_source
from models.bundle import Bundle, ImageLimits, Runtime

SIZE = 2


@dataclass
class Here:
    """A `Cluster` of `room` workers in this process, which does what is submitted when it is looked at.

    `lost`: by name of a partition (or "ready"), how often the worker is lost over it.
    """

    spec: WorkerSpec
    room: int = 2
    lost: Counter[str] = field(default_factory=Counter)
    done_by: Counter[int] = field(default_factory=Counter)
    workers: int = 0

    def slots(self) -> int:
        return self.room

    def start(self) -> tuple[PartitionWriter, tuple[PartitionWriter, PartitionTask | None]]:
        self.workers += 1
        worker = PartitionWriter(self.spec)
        return worker, (worker, None)

    def submit(self, worker: PartitionWriter, task: PartitionTask) -> tuple[PartitionWriter, PartitionTask | None]:
        return worker, task

    def done(
        self, pending: Sequence[tuple[PartitionWriter, PartitionTask | None]], timeout_s: float
    ) -> Sequence[tuple[PartitionWriter, PartitionTask | None]]:
        return pending[-1:]

    def result(self, pending: tuple[PartitionWriter, PartitionTask | None]) -> WrittenPartition | None:
        worker, task = pending
        name = task.name if task else "ready"
        if self.lost[name]:
            self.lost[name] -= 1
            raise WorkerLost(f"{name} took its worker down")
        if task is None:
            worker.ready()
            return None
        self.done_by[id(worker)] += 1
        return worker.write(task)


@pytest.fixture
def spec(photos: Path, tmp_path: Path, tiny_bundle_dir: Path) -> WorkerSpec:
    (photos / "shoe" / "broken.jpg").write_bytes(b"no photo")
    bundle, source = Bundle.load(tiny_bundle_dir), open_source(photos)
    partitions = tmp_path / "partitions"
    partitions.mkdir()
    content = PartitionContent(bundle.bundle_id, bundle.embedding_dim, source.fields)
    setup = EmbeddingSetup(ImageLimits(), 2**28, workers=1)
    return WorkerSpec(source, tiny_bundle_dir, Runtime(threads=1), content, setup, partitions)


def tasks_of(spec: WorkerSpec) -> list[PartitionTask]:
    listed = [entry for entry in spec.source.list() if isinstance(entry, SourcePhoto)]
    photos = sorted(listed, key=lambda photo: photo.photo_id)
    parts = [tuple(photos[at : at + SIZE]) for at in range(0, len(photos), SIZE)]
    return [PartitionTask(f"{number:032x}", part) for number, part in enumerate(parts)]


def placed_by(cluster: Here, tasks: Sequence[PartitionTask]) -> list[str]:
    return [placed(cluster.spec.partitions, written).inputs for written in Schedule(cluster, tasks).run()]


def contents(partitions: Path) -> dict[str, tuple[object, bytes]]:
    return {
        folder.name: (read_intact(folder), np.load(folder / layout.VECTORS).tobytes())
        for folder in sorted(partitions.iterdir())
        if folder.is_dir()
    }


@pytest.mark.parametrize("marker", ["", ".build-1"])
def test_each_partition_is_written_once_by_workers_that_share_the_folder_or_do_not(
    spec: WorkerSpec, marker: str, tmp_path: Path
) -> None:
    if marker:
        (spec.partitions / marker).touch()
    tasks = tasks_of(spec)
    cluster = Here(replace(spec, marker=marker))
    assert sorted(placed_by(cluster, tasks)) == [task.name for task in tasks]
    assert cluster.workers == 2
    found = contents(spec.partitions)
    assert {name for name, (manifest, _) in found.items() if manifest} == {task.name for task in tasks}
    vectors = np.concatenate([np.load(spec.partitions / task.name / layout.VECTORS) for task in tasks])
    good = [photo for task in tasks for photo in task.photos if "broken" not in photo.path]
    files = [(Path(spec.source.description.root) / photo.path).read_bytes() for photo in good]
    np.testing.assert_allclose(vectors, Bundle.load(spec.bundle).photo.embed(files), atol=1e-6)


def test_the_work_of_lost_workers_is_done_by_others(spec: WorkerSpec) -> None:
    tasks = tasks_of(spec)
    calm = contents_after(spec, Here(spec), tasks)
    losses = {tasks[0].name: ATTEMPTS - 1, tasks[2].name: 1, "ready": 3}
    cluster = Here(spec, lost=Counter(losses))
    assert contents_after(spec, cluster, tasks) == calm
    assert cluster.lost.total() == 0
    assert cluster.workers > sum(losses.values())


def contents_after(spec: WorkerSpec, cluster: Here, tasks: Sequence[PartitionTask]) -> dict[str, tuple[object, bytes]]:
    assert sorted(placed_by(cluster, tasks)) == sorted(task.name for task in tasks)
    return {name: (bool(manifest), vectors) for name, (manifest, vectors) in contents(spec.partitions).items()}


def test_a_partition_that_takes_every_worker_down_is_named(spec: WorkerSpec) -> None:
    tasks = tasks_of(spec)
    with pytest.raises(ClusterUnavailable, match=r"from chair/4\.jpg to chair/5\.jpg"):
        placed_by(Here(spec, lost=Counter({tasks[0].name: ATTEMPTS})), tasks)
    with pytest.raises(ClusterUnavailable, match="while they start"):
        placed_by(Here(spec, lost=Counter({"ready": 100})), tasks)


def test_a_cluster_without_room_is_given_up(spec: WorkerSpec) -> None:
    with pytest.raises(ClusterUnavailable, match="no machine left"):
        list(Schedule(Here(spec, room=0), tasks_of(spec), patience_s=0.0).run())


def test_tasks_are_drawn_as_workers_are_free(spec: WorkerSpec) -> None:
    drawn: list[str] = []

    def drawing() -> Iterator[PartitionTask]:
        for task in tasks_of(spec):
            drawn.append(task.name)
            yield task

    written = Schedule(Here(spec), drawing()).run()
    next(written)
    assert len(drawn) <= 3


def test_a_node_with_another_bundle_or_without_the_photos_says_so(spec: WorkerSpec, tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="has bundle"):
        PartitionWriter(replace(spec, content=replace(spec.content, bundle_id="other"))).ready()
    writer = PartitionWriter(spec)
    writer.ready()
    root = Path(spec.source.description.root)
    task = tasks_of(spec)[0]
    for photo in task.photos:
        (root / photo.path).unlink()
    with pytest.raises(SourceUnavailable, match="finds none of 2 photos"):
        writer.write(task)
    root.rename(tmp_path / "elsewhere")
    with pytest.raises(SourceUnavailable, match="does not see"):
        PartitionWriter(spec).ready()


def test_files_that_came_back_damaged_are_no_partition(spec: WorkerSpec) -> None:
    writer = PartitionWriter(spec)
    writer.ready()
    written = writer.write(tasks_of(spec)[0])
    assert written.files is not None
    assert PARTITION in written.files
    damaged = {**written.files, layout.VECTORS: written.files[layout.VECTORS][:-1]}
    with pytest.raises(ClusterUnavailable, match="damaged"):
        placed(spec.partitions, replace(written, files=damaged))
    assert placed(spec.partitions, written).count == 2


def test_without_ray_a_build_says_what_to_install(
    photos: Path, tmp_path: Path, tiny_bundle_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    request = BuildRequest(photos, tmp_path / "index", bundle=tiny_bundle_dir, engine="ray")
    with pytest.raises(ClusterUnavailable, match=r"inkseek\[ray\]"):
        build_index(request)
    assert layout.list_versions(request.out) == []


def test_stage_times_of_workers_are_seconds(spec: WorkerSpec) -> None:
    writer = PartitionWriter(spec)
    writer.ready()
    seconds = writer.write(tasks_of(spec)[0]).seconds
    assert {"read", "decode", "encode", "write"} <= set(seconds)
    assert all(value >= 0 for value in seconds.values())
