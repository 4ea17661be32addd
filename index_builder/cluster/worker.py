"""What a worker of the cluster does: it reads the photos of one partition, embeds them, and writes the partition."""

from __future__ import annotations

import platform
import tempfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from index_builder.embedding.setup import EmbeddingSetup
from index_builder.embedding.stage_times import StageTimes
from index_builder.errors import BuildError, SourceUnavailable
from index_builder.segments.partition_writing import PartitionContent, write_partition
from index_builder.segments.partitions import PartitionManifest
from index_builder.sources.base import PhotoSource, SourcePhoto
from models.bundle import Bundle, Runtime


@dataclass(frozen=True)
class WorkerSpec:
    """What every worker of a build is given. `partitions`: the folder that the build's partitions belong in.

    `marker`: a file that the build made there; a worker that sees it shares the folder, and writes into it.
    """

    source: PhotoSource
    bundle: str | Path | None
    runtime: Runtime
    content: PartitionContent
    setup: EmbeddingSetup
    partitions: Path
    marker: str = ""


@dataclass(frozen=True)
class PartitionTask:
    """A partition to write: the digest of its inputs, and its photos by id."""

    name: str
    photos: tuple[SourcePhoto, ...]


@dataclass(frozen=True)
class WrittenPartition:
    """A partition that a worker wrote. `files`: its files, where worker and build share no folder.

    `seconds`: of the worker's threads, by stage.
    """

    name: str
    files: dict[str, bytes] | None
    seconds: dict[str, float]


class PartitionWriter:
    """A worker: made cheaply, ready once its encoder is loaded."""

    def __init__(self, spec: WorkerSpec) -> None:
        """Reads nothing yet."""
        self._spec = spec
        self._bundle: Bundle | None = None

    def ready(self) -> None:
        """Load the encoder and look for the photos. Raises BuildError, BundleError."""
        spec, node = self._spec, platform.node()
        gallery = spec.source.description
        # Without this, a node that lacks the mount would report every photo as missing.
        if not gallery.is_remote and not Path(gallery.root).is_dir():
            raise SourceUnavailable(f"{node} does not see {gallery.root}: share the folder, or use an object store")
        bundle = Bundle.load(spec.bundle, spec.runtime)
        if bundle.bundle_id != spec.content.bundle_id:
            raise BuildError(f"{node} has bundle {bundle.bundle_id}, the build {spec.content.bundle_id}")
        bundle.check_canary()
        self._bundle = bundle

    def write(self, task: PartitionTask) -> WrittenPartition:
        """Read, embed and write the photos of a partition.

        Raises BuildError, OSError, sqlite3.Error, and what the encoder raises.
        """
        spec, times = self._spec, StageTimes()
        shared = bool(spec.marker) and (spec.partitions / spec.marker).is_file()
        with tempfile.TemporaryDirectory(prefix="inkseek-") as scratch:
            folder = (spec.partitions if shared else Path(scratch)) / task.name
            manifest = self._written(folder, task, times)
            if (
                manifest.listed
                and all(reason == "missing" for reason in manifest.skipped.values())
                and not manifest.count
            ):
                raise SourceUnavailable(f"{platform.node()} finds none of {manifest.listed} photos that were listed")
            files = None if shared else {path.name: path.read_bytes() for path in folder.iterdir()}
        return WrittenPartition(task.name, files, times.rounded())

    def _written(self, folder: Path, task: PartitionTask, times: StageTimes) -> PartitionManifest:
        assert self._bundle is not None, "not ready"
        with (
            self._spec.setup.embedder(self._bundle, times) as embedder,
            closing(embedder.embed(self._spec.source, task.photos)) as outcomes,
        ):
            return write_partition(folder, self._spec.content, outcomes, times)
