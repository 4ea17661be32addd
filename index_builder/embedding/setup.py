"""How photos are embedded on one machine: limits, threads and batches, as requested or as the device likes them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace

from index_builder.embedding.base import PhotoEmbedder
from index_builder.embedding.stage_times import StageTimes
from index_builder.embedding.threads import ThreadedEmbedder
from models.bundle import Bundle, ImageLimits, Pace, cpu_quota
from models.images import IsolatedDecoder, MemoryBudget
from models.sandbox import ProcessLimits

# On a CPU small batches keep every core decoding and encoding by turns; a GPU is idle without large ones.
_CPU_BATCH, _GPU_BATCH = 2, 64
_DECODE_CPU_S = 30.0  # of one photo, where it is not a plain one: 50 megapixels of AVIF take 3 s


@dataclass(frozen=True)
class EmbeddingSetup:
    """`limits` of one photo; `decode_bytes`: memory of all photos that are decoded at once; None: chosen here."""

    limits: ImageLimits
    decode_bytes: int
    workers: int | None = None
    batch: int | None = None

    def pace(self, bundle: Bundle) -> Pace:
        """Threads and batches for the device that the bundle runs on."""
        on_gpu = "CUDAExecutionProvider" in bundle.providers
        return Pace(
            workers=self.workers or cpu_quota(), batch_size=self.batch or (_GPU_BATCH if on_gpu else _CPU_BATCH)
        )

    @contextmanager
    def embedder(self, bundle: Bundle, times: StageTimes) -> Iterator[PhotoEmbedder]:
        """An embedder with the bundle's photo encoder; its child processes for odd photos end with the block."""
        pace = self.pace(bundle)
        process = ProcessLimits(_DECODE_CPU_S, self.decode_bytes + self.limits.max_bytes)
        with closing(IsolatedDecoder(process, processes=pace.workers)) as isolated:
            limits = replace(
                self.limits,
                max_working_bytes=self.decode_bytes,
                budget=MemoryBudget(self.decode_bytes),
                isolated=isolated,
            )
            yield ThreadedEmbedder(bundle.photo, limits, pace, times)
