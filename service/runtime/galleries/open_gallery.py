"""A gallery that is open: what serves it, and who holds it open."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

from index_builder.artifact.layout import version_dir
from index_builder.artifact.verification import files_of, read_manifest
from service.config import Settings
from service.runtime.monitoring.health import Health
from service.runtime.monitoring.index_monitor import IndexMonitor
from service.runtime.monitoring.online_monitor import OnlineMonitor
from service.runtime.serving import Serving
from service.store.database import FILE


@dataclass(eq=False)
class OpenGallery:
    """One gallery in service. `settings`: the service's, with this gallery's folders and quotas.

    `memory_bytes`: as `memory_of` estimates it. `leases`: requests that hold it open; used from the event loop alone.
    """

    name: str
    settings: Settings
    serving: Serving
    health: Health
    index: IndexMonitor
    online: OnlineMonitor
    memory_bytes: int = 0
    leases: int = 0
    used_at: float = field(default_factory=time.monotonic)

    @property
    def idle_s(self) -> float:
        """Seconds since the last request; 0 while one holds it open."""
        return 0.0 if self.leases else time.monotonic() - self.used_at


def memory_of(settings: Settings, version: str) -> int:
    """Estimated bytes that an open gallery takes: the files of that version that are searched, mapped or cached.

    An upper bound as long as no adapter is in use: vectors are mapped, and pages that nobody reads take nothing.
    Raises IndexNotFound, IndexCorrupt, IndexSchemaUnsupported.
    """
    folder = version_dir(settings.index, version)
    manifest = read_manifest(folder)
    files = files_of(folder, manifest, vectors=manifest.collection is None)
    return sum(map(_size, [*files, settings.online_folder / FILE]))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # an online store may not have been made yet, and loading says what is missing
        return 0
