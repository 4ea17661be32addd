"""What the stages of one build share, and the pace and limits that they work at."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from index_builder.artifact.manifest import MetadataField
from index_builder.build.request import BuildRequest, Progress, Stage
from index_builder.embedding.setup import EmbeddingSetup
from index_builder.embedding.stage_times import StageTimes
from index_builder.report import Report
from index_builder.segments.partition_writing import PartitionContent
from index_builder.sources.base import PhotoSource
from index_builder.stores.choice import CPU, MilvusCollections, SearchDevice
from models.bundle import Bundle, Pace


@dataclass(frozen=True)
class Work:
    """A build in progress. `staging`: the folder of the version to be; `report`: open, for the photos left out.

    `collections`: of the gallery in Milvus; None where the segments' files are searched.
    """

    request: BuildRequest
    source: PhotoSource
    bundle: Bundle
    staging: Path
    report: Report
    progress: Progress
    collections: MilvusCollections | None = None
    device: SearchDevice = CPU
    times: StageTimes = field(default_factory=StageTimes)
    started_at: float = field(default_factory=time.monotonic)

    @property
    def out(self) -> Path:
        """The index directory."""
        return self.request.out

    @property
    def dim(self) -> int:
        """Length of a vector (E)."""
        return self.bundle.embedding_dim

    @property
    def fields(self) -> tuple[MetadataField, ...]:
        """The metadata columns of the source."""
        return self.source.fields

    @contextmanager
    def stage(self, stage: Stage) -> Iterator[None]:
        """Show a stage that has one step, and count its time."""
        self.progress(stage, 0, 1)
        with self.times.stage(stage):
            yield
        self.progress(stage, 1, 1)

    @property
    def setup(self) -> EmbeddingSetup:
        """How photos are embedded."""
        request = self.request
        return EmbeddingSetup(request.limits, request.decode_bytes, request.workers, request.batch)

    @cached_property
    def pace(self) -> Pace:
        """Threads and batches, as requested or as the device likes them."""
        return self.setup.pace(self.bundle)

    @property
    def content(self) -> PartitionContent:
        """What every partition of the build has in common."""
        return PartitionContent(self.bundle.bundle_id, self.dim, self.fields)
