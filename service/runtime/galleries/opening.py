"""Opening a gallery: its index, online store and quotas, and the checks that go on while it is open."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from index_builder.artifact import CheckedFiles
from service.config import Settings
from service.runtime.galleries.open_gallery import OpenGallery
from service.runtime.galleries.quotas import quotas_of
from service.runtime.metrics import Metrics
from service.runtime.monitoring.health import Health
from service.runtime.monitoring.index_monitor import Describe, IndexMonitor, created_at
from service.runtime.monitoring.online_monitor import OnlineMonitor
from service.runtime.serving import Serving, load_retriever
from service.search.retriever import Retriever
from service.store.state.online_state import OnlineState


def settings_of_gallery(settings: Settings, name: str, folder: Path) -> Settings:
    """The service's settings with a gallery's own folders and quotas. Raises QuotasInvalid."""
    online_dir = settings.online_dir / "galleries" / name if settings.online_dir else None
    own = {"index": folder, "gallery_root": None, "online_dir": online_dir}
    return settings.model_copy(update={**own, **quotas_of(folder).changes()})


def opened(name: str, settings: Settings, default: Serving, memory_bytes: int, metrics: Metrics) -> OpenGallery:
    """The gallery, loaded and checked against known answers; `settings` are its own. Raises as `load_retriever`.

    `default`: what the process serves already, whose encoders and decoder all galleries share.
    """
    serving = Serving.of(load_retriever(settings, default.bundle, decoder=default.decoder, device=default.device))

    def describe(retriever: Retriever, in_service: bool, is_behind: bool) -> None:
        if in_service:
            metrics.galleries.set_index(name, retriever.index.count, created_at(retriever.index), is_behind=is_behind)

    def report(state: OnlineState) -> None:
        metrics.galleries.set_online(name, adapters=len(state.active), uploads=state.photo_count)

    return monitored(name, settings, serving, memory_bytes, metrics, describe, report)


def monitored(
    name: str,
    settings: Settings,
    serving: Serving,
    memory_bytes: int,
    metrics: Metrics,
    describe: Describe,
    report: Callable[[OnlineState], None],
) -> OpenGallery:
    """A gallery with its checks, of which none has run."""
    health, online = Health(stale_after_s=float("inf")), OnlineMonitor(serving, report)
    index = IndexMonitor(settings, serving, online, health, metrics, describe, CheckedFiles())
    return OpenGallery(name, settings, serving, health, index, online, memory_bytes)
