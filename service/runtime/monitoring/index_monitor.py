"""The background check for a newly published index version, of one gallery."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from datetime import datetime
from typing import TypeAlias

from index_builder.artifact import CheckedFiles, GalleryIndex, ServableVersion
from index_builder.artifact.errors import IndexNotFound
from index_builder.artifact.layout import current_version
from service.config import Settings
from service.runtime.metrics import Metrics
from service.runtime.monitoring.health import Health
from service.runtime.monitoring.online_monitor import OnlineMonitor
from service.runtime.serving import Serving, load_retriever, version_for
from service.search.retriever import Retriever

_log = logging.getLogger("inkseek.service")

_RETRY_S = 30.0  # until a version that could not be loaded is tried again: hashing a large index each second would hurt

Describe: TypeAlias = Callable[[Retriever, bool, bool], None]
"""Sets the metrics of what is (True), or from now on is not (False), in service, and of whether another version is
published and not loaded."""


def created_at(index: GalleryIndex) -> float:
    """When the index was built, in seconds since 1970."""
    return datetime.fromisoformat(index.manifest.created_at).timestamp()


class IndexMonitor:
    """Takes new versions of one index into service. What it knows stands in `health`."""

    def __init__(
        self,
        settings: Settings,
        serving: Serving,
        online: OnlineMonitor,
        health: Health,
        metrics: Metrics,
        describe: Describe,
        checked: CheckedFiles,
    ) -> None:
        """`settings`: those of the gallery; `checked`: files that were hashed. Nothing is checked before `check`."""
        self._settings = settings
        self._serving = serving
        self._online = online
        self._health = health
        self._metrics = metrics
        self._describe = describe
        self._checked = checked
        self._report(True)
        self._look_for_originals()

    async def check(self) -> bool:
        """Take a newly published version into service; while one cannot be loaded the old one stays in service.

        Returns whether there was a change of versions. Never raises.
        """
        health = self._health
        missing = await asyncio.to_thread(self._missing_files)
        published = None
        try:
            published = await asyncio.to_thread(current_version, self._settings.index)
            health.published_version = published
            if published == self._serving.version:
                self._check_files(missing)
                self._updated()
                return False
            if published == health.rejected_version and time.monotonic() < health.retry_at:
                return False
            health.rejected_version, health.retry_at = published, time.monotonic() + _RETRY_S
            found = await asyncio.to_thread(version_for, self._settings.index, self._serving.bundle)
            health.published_version = found.published
            if found.version == self._serving.version:
                self._check_files(missing)
                self._waiting(found)
                return False
            # Not a worker thread: hashing a large index takes longer than requests want to wait.
            successor = await asyncio.to_thread(
                load_retriever,
                self._settings,
                self._serving.bundle,
                found.version,
                self._serving.decoder,
                self._checked,
                device=self._serving.device,
            )
        except Exception as error:  # whatever it is, the version in service stays
            if published is None and isinstance(error, IndexNotFound):
                missing = max(missing, 1)  # the pointer to the published version
            self._check_files(missing)
            self._not_updated(published, error)
            return False
        self._take(successor, found)
        await asyncio.to_thread(self._look_for_originals)
        return True

    async def compare_hashes(self) -> None:
        """Read what was not read when the index was opened; a file that is not as it was built makes `/readyz` red.

        Never raises, and once is enough: later versions are compared before they are taken into service.
        """
        started_at = time.monotonic()
        version = self._serving.version
        try:
            await asyncio.to_thread(self._compare_hashes)
        except asyncio.CancelledError:
            self._checked.stop()
            raise
        except Exception as error:  # whatever it is, these files cannot be trusted
            if self._serving.version != version:
                return
            _log.error("files of index %s are not as they were built: %s", version, error)
            self._health.damage = f"files of index {version} are not as they were built ({type(error).__name__})"
            self._metrics.index_load_failures.inc()
        else:
            _log.info("every file of index %s is as it was built (%.1f s)", version, time.monotonic() - started_at)

    def _compare_hashes(self) -> None:
        with self._serving.borrow() as retriever:
            retriever.index.compare_hashes(self._checked)

    def _take(self, successor: Retriever, found: ServableVersion) -> None:
        self._report(False)
        self._serving.swap(successor)
        self._health.damage = None
        self._check_files(0)
        self._online.forget_prepared()
        self._report(True)
        self._metrics.index_swaps.inc()
        if found.is_published:
            self._updated()
        else:
            self._waiting(found)
        _log.info("index version %s is in service (%d photos)", found.version, successor.index.count)

    def _missing_files(self) -> int:
        """How many files of the version in service are not where they were; its answers do not show it for long."""
        with self._serving.borrow() as retriever:
            files = retriever.index.files
        return sum(not file.is_file() for file in files)

    def _look_for_originals(self) -> None:
        with self._serving.borrow() as retriever:
            state, root = retriever.index.originals(), retriever.index.gallery_root
        if state != "present":
            _log.warning(
                "the original photos of index %s are %s in %s: thumbnails stand for them; "
                "INKSEEK_GALLERY_ROOT says where they are",
                self._serving.version,
                "partly missing" if state == "partial" else state,
                root,
            )

    def _check_files(self, missing: int) -> None:
        trouble = f"{missing} files of index {self._serving.version} are gone" if missing else None
        if trouble != self._health.files_problem:
            _log.warning("%s", trouble or "the files of the index are there again")
        self._health.files_problem = trouble

    def _updated(self) -> None:
        was_behind = self._health.update_problem is not None
        self._health.update_problem = self._health.rejected_version = None
        if was_behind:
            _log.info("the published index version is in service again")
            self._report(True)

    def _waiting(self, found: ServableVersion) -> None:
        """Another bundle's version is published: the upgrade is half done, and nothing is wrong."""
        problem = (
            f"index version {found.published} is published for the bundle {found.published_bundle_id}, "
            f"{found.version} stays in service with {self._serving.bundle.bundle_id}: restart with that bundle"
        )
        if problem != self._health.update_problem:
            _log.warning("%s", problem)
        self._health.rejected_version = None
        self._behind(problem)

    def _not_updated(self, published: str | None, error: Exception) -> None:
        # Without what the error says of this machine's folders: that is for the log.
        what = f"the published index version {published}" if published else "the published index version"
        problem = f"{what} cannot be loaded ({type(error).__name__}), {self._serving.version} stays in service"
        if problem != self._health.update_problem:
            _log.error("%s: %s", problem, error)
            self._metrics.index_load_failures.inc()
        self._behind(problem)

    def _behind(self, problem: str) -> None:
        changed = problem != self._health.update_problem
        self._health.update_problem = problem
        if changed:
            self._report(True)

    def _report(self, in_service: bool) -> None:
        with self._serving.borrow() as retriever:
            self._describe(retriever, in_service, bool(self._health.update_problem))
