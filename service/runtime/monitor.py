"""Background checks of one process: is the canary answered right, is a new index version published, what is adapted?"""

from __future__ import annotations

import asyncio
import logging
import time

from index_builder.artifact.layout import current_version
from service.config import Settings
from service.runtime.health import Health
from service.runtime.metrics import Metrics
from service.runtime.online_monitor import OnlineMonitor
from service.runtime.serving import Serving, check_canary, load_retriever
from service.runtime.workers import Workers

_log = logging.getLogger("inkseek.service")

_RETRY_S = 30.0  # until a version that could not be loaded is tried again: hashing a large index each second would hurt
_ONLINE_INTERVAL_S = 1.0  # answers see every change at once; this is for metrics, the log, and to have scorers ready
_LATE_FACTOR = 3  # a canary that many intervals old is too old to call the service ready


class Monitor:
    """The background tasks of one process. `health` is what they know."""

    def __init__(self, settings: Settings, serving: Serving, workers: Workers, metrics: Metrics) -> None:
        """Nothing is checked before `run`."""
        self._settings = settings
        self._serving = serving
        self._workers = workers
        self._metrics = metrics
        self._describe(1)
        self.online = OnlineMonitor(serving, metrics)
        self.health = Health(stale_after_s=_LATE_FACTOR * settings.canary_interval_s + settings.request_timeout_s)

    async def run(self) -> None:
        """Check until cancelled. The first canary is sent with `check_answers`, before anything is served."""
        await asyncio.gather(self._repeat_answers(), self._repeat_index(), self._repeat_online())

    async def check_answers(self) -> None:
        """Send the canary now, through the same threads as every request; the result is in `health`."""
        try:
            async with asyncio.timeout(self._settings.request_timeout_s):
                await self._workers.run(self._send_canary)
        except TimeoutError:
            self._failed(f"the canary sketch was not answered within {self._settings.request_timeout_s:g} s")
        except Exception as error:  # whatever it is, the service does not answer right
            self._failed(f"the canary sketch was answered wrong: {error}")
        else:
            if self.health.problem:
                _log.warning("the canary sketch is answered right again")
            self.health.right()
        self._metrics.ready.set(self.health.trouble is None)

    async def check_index(self) -> None:
        """Take a newly published version into service; while one cannot be loaded the old one stays in service."""
        try:
            published = await asyncio.to_thread(current_version, self._settings.index)
            if published == self._serving.version:
                self._updated()
                return
            if published == self.health.rejected_version and time.monotonic() < self.health.retry_at:
                return
            self.health.rejected_version, self.health.retry_at = published, time.monotonic() + _RETRY_S
            # Not a worker thread: hashing a large index takes longer than requests want to wait.
            successor = await asyncio.to_thread(
                load_retriever, self._settings, self._serving.bundle, published, self._serving.decoder
            )
        except Exception as error:  # whatever it is, the version in service stays
            self._not_updated(error)
            return
        self._describe(0)
        self._serving.swap(successor)
        self.online.forget_prepared()
        self._describe(1)
        self._metrics.index_swaps.inc()
        self._updated()
        _log.info("index version %s is in service (%d photos)", published, successor.index.count)

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

    def _updated(self) -> None:
        self.health.update_problem = self.health.rejected_version = None

    def _not_updated(self, error: Exception) -> None:
        problem = f"the published index version cannot be loaded, {self._serving.version} stays in service: {error}"
        if problem != self.health.update_problem:
            _log.error("%s", problem)
            self._metrics.index_load_failures.inc()
        self.health.update_problem = problem

    def _describe(self, value: int) -> None:
        """Set the metrics of what is (1), or from now on is not (0), in service."""
        with self._serving.borrow() as retriever:
            self._metrics.served.labels(retriever.bundle.bundle_id, retriever.index.version).set(value)
            if value:
                self._metrics.photos.set(retriever.index.count)
                self._metrics.provider.labels(retriever.bundle.providers[0]).set(1)
