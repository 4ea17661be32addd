"""Background checks of one process: is the canary answered right, is a new index version published, what is adapted?"""

from __future__ import annotations

import asyncio
import logging
from typing import get_args

from index_builder.artifact import CheckedFiles, StoreUnavailable
from service.config import Settings
from service.runtime.metrics import Metrics
from service.runtime.monitoring.health import Health
from service.runtime.monitoring.index_monitor import IndexMonitor, created_at
from service.runtime.monitoring.online_monitor import OnlineMonitor
from service.runtime.serving import Serving, check_canary
from service.runtime.threads.workers import Workers
from service.search.retriever import Retriever
from service.store.records import Scope
from service.store.state.online_state import OnlineState

_log = logging.getLogger("inkseek.service")

_ONLINE_INTERVAL_S = 1.0  # answers see every change at once; this is for metrics, the log, and to have scorers ready
_LATE_FACTOR = 3  # a canary that many intervals old is too old to call the service ready


class Monitor:
    """The background tasks of one process. `health` is what they know."""

    def __init__(
        self,
        settings: Settings,
        serving: Serving,
        workers: Workers,
        metrics: Metrics,
        checked: CheckedFiles | None = None,
    ) -> None:
        """Nothing is checked before `run`. `checked`: files whose hash was compared when the index was opened."""
        self._settings = settings
        self._serving = serving
        self._workers = workers
        self._metrics = metrics
        self.health = Health(stale_after_s=_LATE_FACTOR * settings.canary_interval_s + settings.request_timeout_s)
        self.online = OnlineMonitor(serving, self._report_online)
        self.index = IndexMonitor(
            settings, serving, self.online, self.health, metrics, self._describe, checked or CheckedFiles()
        )

    async def run(self) -> None:
        """Check until cancelled. The first canary is sent with `check_answers`, before anything is served."""
        await asyncio.gather(
            self._repeat_answers(), self._repeat_index(), self._repeat_online(), self.index.compare_hashes()
        )

    async def check_answers(self) -> None:
        """Send the canary now, through the same threads as every request; the result is in `health`."""
        try:
            async with asyncio.timeout(self._settings.request_timeout_s):
                await self._workers.run(self._send_canary)
        except TimeoutError:
            self._failed(f"the canary sketch was not answered within {self._settings.request_timeout_s:g} s")
        except StoreUnavailable as error:
            if self.health.problem is None:
                _log.error("%s", error)
            self._failed("the photos' vectors are not available")
        except Exception as error:  # whatever it is, the service does not answer right
            _log.exception("the canary sketch was answered wrong")  # what says where files lie stays in the log
            self._failed(f"the canary sketch was answered wrong ({type(error).__name__})")
        else:
            if self.health.problem:
                _log.warning("the canary sketch is answered right again")
            self.health.right()
        self._metrics.ready.set(self.health.trouble is None)
        # With each canary: a card that fails is replaced by the CPU while the service goes on.
        device = self._serving.device
        for name in {"cpu", device.wanted, device.name}:
            self._metrics.search_device.labels(name).set(name == device.name)

    async def check_index(self) -> None:
        """Take a newly published version into service; while one cannot be loaded the old one stays in service."""
        await self.index.check()

    async def _repeat_answers(self) -> None:
        while True:
            await asyncio.sleep(self._settings.canary_interval_s)
            await self.check_answers()

    async def _repeat_index(self) -> None:
        while True:
            await asyncio.sleep(self._settings.index_poll_s)
            await self.check_index()

    async def _repeat_online(self) -> None:
        while True:
            await asyncio.to_thread(self.online.check)
            await asyncio.sleep(_ONLINE_INTERVAL_S)

    def _send_canary(self) -> None:
        with self._serving.borrow() as retriever:
            check_canary(retriever)

    def _failed(self, problem: str) -> None:
        if self.health.problem is None:
            _log.error("not ready: %s", problem)
        self.health.problem = problem
        self._metrics.canary_failures.inc()

    def _describe(self, retriever: Retriever, in_service: bool, is_behind: bool) -> None:
        metrics = self._metrics
        metrics.served.labels(retriever.bundle.bundle_id, retriever.index.version).set(int(in_service))
        if in_service:
            metrics.photos.set(retriever.index.count)
            metrics.index_created.set(created_at(retriever.index))
            metrics.index_behind.set(int(is_behind))
            metrics.provider.labels(retriever.bundle.providers[0]).set(1)

    def _report_online(self, state: OnlineState) -> None:
        for scope in get_args(Scope):
            self._metrics.adapters_active.labels(scope).set(sum(target.scope == scope for target in state.active))
        self._metrics.adapters_outdated.set(len(state.outdated))
        self._metrics.online_photos.set(state.photo_count)
