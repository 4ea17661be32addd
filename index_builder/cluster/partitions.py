"""A build's partitions over a cluster: workers write them, and what they wrote is checked here."""

from __future__ import annotations

import shutil
import sys
import uuid
from collections.abc import Iterable, Iterator
from contextlib import closing, redirect_stdout
from dataclasses import replace
from pathlib import Path

from index_builder.cluster.ray_cluster import RayCluster
from index_builder.cluster.schedule import Schedule
from index_builder.cluster.worker import PartitionTask, WorkerSpec, WrittenPartition
from index_builder.embedding.stage_times import StageTimes
from index_builder.errors import ClusterUnavailable
from index_builder.segments.partitions import PARTITION, PartitionManifest, read_intact
from models.atomic_files import sync_path


def write_on_cluster(
    spec: WorkerSpec, tasks: Iterable[PartitionTask], times: StageTimes
) -> Iterator[PartitionManifest]:
    """Each task's partition as it is finished, in `spec.partitions`; the seconds of all workers go to `times`.

    Raises ClusterUnavailable, and what a worker raised.
    """
    marker = spec.partitions / f".build-{uuid.uuid4().hex}"
    marker.touch()
    try:
        # Ray prints what dies to stdout, from a thread of its own; a command's stdout is for its result.
        with redirect_stdout(sys.stderr), closing(RayCluster.connect(replace(spec, marker=marker.name))) as cluster:
            for written in Schedule(cluster, tasks).run():
                for stage, seconds in written.seconds.items():
                    times.add(stage, seconds)
                yield placed(spec.partitions, written)
    finally:
        marker.unlink(missing_ok=True)


def placed(partitions: Path, written: WrittenPartition) -> PartitionManifest:
    """Put a partition's files where they belong, unless the worker did, and check every byte.

    Raises ClusterUnavailable where it is not as its manifest says, OSError.
    """
    folder = partitions / written.name
    if written.files is not None:
        staging = partitions / f".building-{written.name}-{uuid.uuid4().hex}"
        staging.mkdir()
        for name, content in sorted(written.files.items(), key=lambda entry: entry[0] == PARTITION):
            (staging / Path(name).name).write_bytes(content)
            sync_path(staging / Path(name).name)
        shutil.rmtree(folder, ignore_errors=True)
        staging.rename(folder)
        sync_path(partitions)
    manifest = read_intact(folder)
    if manifest is None:
        raise ClusterUnavailable(f"partition {written.name} came back damaged")
    return manifest
