"""Everything that lives as long as one process of the service."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from index_builder.artifact import CheckedFiles, open_device
from service.config import Settings
from service.gallery_folders import DEFAULT_GALLERY
from service.runtime.galleries.open_gallery import OpenGallery
from service.runtime.galleries.registry import Galleries
from service.runtime.heap import give_large_blocks_back
from service.runtime.jobs.runner import JobRunner
from service.runtime.metrics import Metrics
from service.runtime.monitoring.monitor import Monitor
from service.runtime.monitoring.shadow_sample import ShadowSample
from service.runtime.serving import Serving, load_bundle, load_retriever
from service.runtime.spare_cpus import SpareCpus
from service.runtime.threads.slots import Slots
from service.runtime.threads.workers import Workers

_log = logging.getLogger("inkseek.service")

_ADAPTATIONS_AT_ONCE = 2  # their bodies are in memory, `max_support_bytes` each at worst


@dataclass(frozen=True)
class Process:
    """What every request of one process shares; made by `started`, which closes it again."""

    settings: Settings
    serving: Serving
    workers: Workers
    monitor: Monitor
    metrics: Metrics
    adaptations: Slots
    changes: Slots
    galleries: Galleries
    shadow: ShadowSample


@asynccontextmanager
async def started(settings: Settings, metrics: Metrics) -> AsyncIterator[Process]:
    """The process with bundle and index loaded, checked and watched; closed in the opposite order.

    Raises BundleError, IndexArtifactError when bundle or index cannot serve, or not together; OnlineCorrupt.
    """
    give_large_blocks_back()
    bundle = await asyncio.to_thread(load_bundle, settings)
    if (problem := settings.runtime.unused_gpu(bundle.providers)) is not None:
        _log.warning("no GPU is used: %s", problem)
    checked = CheckedFiles()
    device = await asyncio.to_thread(open_device, settings.device, require_gpu=settings.require_gpu)
    retriever = await asyncio.to_thread(
        load_retriever, settings, bundle, checked=checked, check_files=False, device=device
    )
    serving = Serving.of(retriever)
    workers = Workers(
        settings.worker_threads,
        settings.queue_size,
        settings.request_timeout_s,
        metrics,
        on_loop=settings.worker_threads == 1 and not settings.runtime.may_use_gpu,
        has_spare_cpus=SpareCpus(settings.runtime.lone_threads),
    )
    monitor = Monitor(settings, serving, workers, metrics, checked)
    await monitor.check_answers()
    await monitor.check_index()  # another version may be published than the one that the bundle can serve
    monitoring = asyncio.create_task(monitor.run())
    _log.info(
        "serving %d photos of index %s with bundle %s on %s, searched on %s, %d threads",
        retriever.index.count,
        serving.version,
        bundle.bundle_id,
        bundle.providers[0],
        device.name,
        workers.threads,
    )
    default = OpenGallery(DEFAULT_GALLERY, settings, serving, monitor.health, monitor.index, monitor.online)
    galleries = Galleries(settings, default, metrics, workers)
    jobs = asyncio.create_task(JobRunner(DEFAULT_GALLERY, settings, serving, workers).run())
    adaptations = Slots(_ADAPTATIONS_AT_ONCE, "adapters are being fitted", metrics)
    shadow = ShadowSample(settings.shadow_share, metrics.shadow_recall.observe)
    try:
        yield Process(
            settings,
            serving,
            workers,
            monitor,
            metrics,
            adaptations,
            # Half of the places that there are: a stream of uploads leaves the others to searches.
            Slots(max(1, workers.free // 2), "changes are being made", metrics),
            galleries,
            shadow,
        )
    finally:
        for task in (monitoring, jobs):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        # In a thread: it waits for jobs that have begun, and the event loop must not stand still meanwhile.
        await asyncio.to_thread(workers.close)
        await asyncio.to_thread(shadow.close)
        await galleries.close()
        serving.close()
        serving.decoder.close()
        await asyncio.to_thread(device.close)
        metrics.retire_process()
