"""What the stages of one build share, and the pace and limits that they work at."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from index_builder.artifact.manifest import MetadataField
from index_builder.build.request import BuildRequest, Progress, Stage
from index_builder.embedding.stage_times import StageTimes
from index_builder.report import Report
from index_builder.sources.base import PhotoSource
from index_builder.stores.choice import CPU, MilvusCollections, SearchDevice
from models.bundle import Bundle, ImageLimits, Pace, cpu_quota
from models.images import IsolatedDecoder, MemoryBudget
from models.sandbox import ProcessLimits

# On a CPU small batches keep every core decoding and encoding by turns; a GPU is idle without large ones.
_CPU_BATCH, _GPU_BATCH = 2, 64
_DECODE_CPU_S = 30.0  # of one photo, where it is not a plain one: 50 megapixels of AVIF take 3 s


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

    @cached_property
    def pace(self) -> Pace:
        """Threads and batches, as requested or as the device likes them."""
        on_gpu = "CUDAExecutionProvider" in self.bundle.providers
        return Pace(
            workers=self.request.workers or cpu_quota(),
            batch_size=self.request.batch or (_GPU_BATCH if on_gpu else _CPU_BATCH),
        )

    def decoder(self) -> IsolatedDecoder:
        """Processes for photos that are not plain ones; the caller closes it."""
        request = self.request
        limits = ProcessLimits(_DECODE_CPU_S, request.decode_bytes + request.limits.max_bytes)
        return IsolatedDecoder(limits, processes=self.pace.workers)

    def limits(self, isolated: IsolatedDecoder) -> ImageLimits:
        """The limits of photos, all of which together get the memory for decoding."""
        return replace(
            self.request.limits,
            max_working_bytes=self.request.decode_bytes,
            budget=MemoryBudget(self.request.decode_bytes),
            isolated=isolated,
        )
