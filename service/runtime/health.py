"""Two watchers: does the service still answer right, and has a new index version been published?"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass
from typing import get_args

from index_builder.artifact.layout import current_version
from service.config import Settings
from service.runtime.metrics import Metrics
from service.runtime.serving import Serving, check_canary, load_retriever
from service.runtime.workers import Workers
from service.search.gallery import Gallery
from service.store.online_store import OnlineState
from service.store.records import Scope

_log = logging.getLogger("inkseek.service")

_RETRY_S = 30.0  # until a version that could not be loaded is tried again: hashing a large index each second would hurt
_ONLINE_INTERVAL_S = 1.0  # answers see every change at once; this is for metrics, the log, and to have scorers ready
_PREPARED_AT_ONCE = 16  # of a room with more adapters than that, the rest is prepared when it is asked for
_LATE_FACTOR = 3  # a canary that many intervals old is too old to call the service ready


@dataclass
class Health:
    """What the watchers know. `answered_at`: monotonic seconds of the last right canary answer."""

    stale_after_s: float
    answered_at: float | None = None
    problem: str | None = None
    update_problem: str | None = None
    refused_version: str | None = None
    retry_at: float = 0.0

    def right(self) -> None:
        """The canary was answered right."""
        self.answered_at, self.problem = time.monotonic(), None

    @property
    def checked_s_ago(self) -> float | None:
        """Seconds since the last right answer."""
        return None if self.answered_at is None else time.monotonic() - self.answered_at

    @property
    def trouble(self) -> str | None:
        """Why the service is not ready; None when it is."""
        age = self.checked_s_ago
        if self.problem or age is None:
            return self.problem or "the canary sketch has not been answered yet"
        if age > self.stale_after_s:
            return f"the canary sketch was last answered {age:.0f} s ago: worker threads hang or are overloaded"
        return None


class Watch:
    """The background tasks of one process."""

    def __init__(self, settings: Settings, serving: Serving, workers: Workers, metrics: Metrics) -> None:
        """Nothing is watched before `run`."""
        self._settings = settings
        self._serving = serving
        self._workers = workers
        self._metrics = metrics
        self._outdated: set[str] = set()
        self._unseen_photos = 0
        self._online_problem: str | None = None
        self._prepared: set[str] = set()
        self._describe(1)
        self.health = Health(stale_after_s=_LATE_FACTOR * settings.canary_interval_s + settings.request_timeout_s)

    async def run(self) -> None:
        """Watch until cancelled. The first answer is asked for with `check_answers`, before anything is served."""
        await asyncio.gather(self._watch_answers(), self._watch_index(), self._watch_online())

    async def check_answers(self) -> None:
        """Ask the canary now, through the same threads as every request."""
        try:
            async with asyncio.timeout(self._settings.request_timeout_s):
                await self._workers.run(self._ask_canary)
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
        """Take a newly published version into service; while one cannot be loaded the old one goes on serving."""
        try:
            published = await asyncio.to_thread(current_version, self._settings.index)
            if published == self._serving.version:
                self._updated()
                return
            if published == self.health.refused_version and time.monotonic() < self.health.retry_at:
                return
            self.health.refused_version, self.health.retry_at = published, time.monotonic() + _RETRY_S
            # Not a worker thread: hashing a large index takes longer than requests want to wait.
            successor = await asyncio.to_thread(load_retriever, self._settings, self._serving.bundle, published)
        except Exception as error:  # whatever it is, the version in service goes on
            self._not_updated(error)
            return
        self._describe(0)
        self._serving.swap(successor)
        self._prepared = set()
        self._describe(1)
        self._metrics.index_swaps.inc()
        self._updated()
        _log.info("index version %s is in service (%d photos)", published, successor.index.count)

    async def _watch_answers(self) -> None:
        while True:
            await asyncio.sleep(self._settings.canary_interval_s)
            await self.check_answers()

    async def _watch_index(self) -> None:
        while True:
            await asyncio.sleep(self._settings.index_poll_s)
            await self.check_index()

    async def _watch_online(self) -> None:
        while True:
            await asyncio.to_thread(self.check_online)
            await asyncio.sleep(_ONLINE_INTERVAL_S)

    def check_online(self) -> None:
        """Say in the metrics what was taught, and in the log which adapters have to be made anew."""
        try:
            with self._serving.borrow() as retriever:
                state = retriever.room.state()
                self._make_ready(retriever.gallery())
        except Exception as error:  # whatever it is, answers do without, and the next look may find it mended
            if str(error) != self._online_problem:
                _log.error("the online room: %s", error)
            self._online_problem = str(error)
            return
        self._online_problem = None
        for scope in get_args(Scope):
            self._metrics.adapters_active.labels(scope).set(sum(target.scope == scope for target in state.active))
        self._metrics.adapters_outdated.set(len(state.outdated))
        self._metrics.online_photos.set(len(state.photos))
        self._say_what_is_stale(state)

    def _say_what_is_stale(self, state: OnlineState) -> None:
        outdated = {adapter.adapter_id for adapter in state.outdated}
        for adapter in state.outdated:
            if adapter.adapter_id not in self._outdated:
                _log.warning(
                    "%s of %s is stale: it was fitted for bundle %s. It does not serve until `inkseek adapters refit`",
                    adapter.adapter_id, adapter.target, adapter.bundle_id,
                )  # fmt: skip
        unseen = sum(photo.vector is None for photo in state.photos)
        if unseen and unseen != self._unseen_photos:
            _log.warning("%d uploaded photos cannot be found by this bundle until `inkseek adapters refit`", unseen)
        self._outdated, self._unseen_photos = outdated, unseen

    def _make_ready(self, gallery: Gallery) -> None:
        """Prepare the scorers of adapters that have come, so that no search has to wait for them."""
        active = {
            adapter_id: target for target, adapter_id in gallery.state.active.items() if target.scope == "category"
        }
        for adapter_id in list(active.keys() - self._prepared)[:_PREPARED_AT_ONCE]:
            if active[adapter_id].name in gallery.view.categories():
                gallery.scorer(active[adapter_id].name, fitted=True)
        self._prepared = set(active)

    def _ask_canary(self) -> None:
        with self._serving.borrow() as retriever:
            check_canary(retriever)

    def _failed(self, problem: str) -> None:
        if self.health.problem is None:
            _log.error("not ready: %s", problem)
        self.health.problem = problem
        self._metrics.canary_failures.inc()

    def _updated(self) -> None:
        self.health.update_problem = self.health.refused_version = None

    def _not_updated(self, error: Exception) -> None:
        problem = f"the published index version cannot be loaded, {self._serving.version} goes on serving: {error}"
        if problem != self.health.update_problem:
            _log.error("%s", problem)
            self._metrics.index_load_failures.inc()
        self.health.update_problem = problem

    def _describe(self, value: int) -> None:
        """Say in the metrics what is (1), or from now on is not (0), being served."""
        with self._serving.borrow() as retriever:
            self._metrics.served.labels(retriever.bundle.bundle_id, retriever.index.version).set(value)
            if value:
                self._metrics.photos.set(retriever.index.count)
                self._metrics.provider.labels(retriever.bundle.providers[0]).set(1)
