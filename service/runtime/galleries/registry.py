"""The galleries beside the default one: opened on first use, closed when idle, within a budget of memory."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from index_builder.artifact import IndexArtifactError
from service.config import Settings
from service.errors import DeadlineExceeded, GalleryAbsent, GalleryUnavailable
from service.gallery_folders import DEFAULT_GALLERY, GalleryFolders
from service.runtime.galleries.failures import Failures
from service.runtime.galleries.memory_budget import MemoryBudget
from service.runtime.galleries.open_gallery import OpenGallery, memory_of
from service.runtime.galleries.opening import opened, settings_of_gallery
from service.runtime.jobs.runner import JobRunner
from service.runtime.metrics import Metrics
from service.runtime.serving import version_for
from service.runtime.threads.workers import Workers

T = TypeVar("T")

_log = logging.getLogger("inkseek.service")

_OPENING_AT_ONCE = 2  # reading and hashing files: a slow gallery must not keep all others from opening


class Galleries:
    """All galleries of one process. Used from one event loop; a gallery's `serving` from any thread."""

    def __init__(self, settings: Settings, default: OpenGallery, metrics: Metrics, workers: Workers) -> None:
        """`default`: the one of the short routes, open as long as the process. No other is opened before it is used."""
        self.default = default
        self.folders: GalleryFolders = settings.gallery_folders
        self._settings = settings
        self._metrics = metrics
        self._workers = workers
        self._budget = MemoryBudget(
            settings.galleries_memory_bytes, settings.request_timeout_s, lambda gallery: self._retire(gallery, "room")
        )
        self._opening: dict[str, asyncio.Task[None]] = {}
        self._failures = Failures()
        self._watching: dict[str, asyncio.Task[None]] = {}
        self._executor = ThreadPoolExecutor(_OPENING_AT_ONCE, thread_name_prefix="inkseek-open")

    @property
    def open_names(self) -> list[str]:
        """The galleries that are open in this process, the default one included, by name."""
        return sorted([DEFAULT_GALLERY, *self._budget.galleries])

    @property
    def failures(self) -> dict[str, str]:
        """Why the galleries that could not be opened were not, by name."""
        return self._failures.reasons

    @property
    def memory_bytes(self) -> int:
        """Estimated bytes of the galleries that are open or being closed, the default one left out."""
        return self._budget.used_bytes

    def names(self) -> list[str]:
        """Every gallery there is, open or not, by name. Reads the disk."""
        return sorted({DEFAULT_GALLERY, *self.folders.names()})

    def find_open(self, name: str) -> OpenGallery | None:
        """The gallery if it is open."""
        return self.default if name == DEFAULT_GALLERY else self._budget.galleries.get(name)

    @asynccontextmanager
    async def lease(self, name: str) -> AsyncIterator[OpenGallery]:
        """The gallery, opened if need be, which stays open until the block is left.

        Raises GalleryAbsent, GalleryUnavailable, DeadlineExceeded when it does not open in time.
        """
        gallery = self.find_open(name) or await self._open(name)
        if gallery is self.default:
            yield gallery
            return
        self._budget.take(gallery)
        try:
            yield gallery
        finally:
            self._budget.give_back(gallery)

    async def close(self) -> None:
        """Close every gallery but the default one; requests have ended by now."""
        for task in (*self._opening.values(), *self._watching.values()):
            task.cancel()
        await asyncio.gather(*self._opening.values(), *self._watching.values(), return_exceptions=True)
        self._executor.shutdown(wait=True)
        for gallery in list(self._budget.galleries.values()):
            gallery.serving.close()

    async def _open(self, name: str) -> OpenGallery:
        deadline = self._settings.request_timeout_s
        try:
            async with asyncio.timeout(deadline):
                # Once more when another gallery took its place before this request went on.
                while (gallery := self._budget.galleries.get(name)) is None:
                    self._failures.check(name)
                    task = self._opening.get(name)
                    if task is None:
                        task = self._opening[name] = asyncio.create_task(self._open_now(name))
                        # Read in any case: asyncio reports errors that nobody waits for any more.
                        task.add_done_callback(lambda done: done.cancelled() or done.exception())
                    # Shielded: the client that asked first may go, others wait for the same.
                    await asyncio.shield(task)
                return gallery
        except TimeoutError as error:
            raise DeadlineExceeded(f"the gallery {name!r} was not open within {deadline:g} s") from error

    async def _open_now(self, name: str) -> None:
        try:
            folder = await self._in_thread(lambda: self.folders.folder(name))
            if folder is None:
                self._failures.forget(name)
                raise GalleryAbsent(f"there is no gallery {name!r}")
            try:
                gallery = await self._load(name, folder)
            except GalleryUnavailable:  # no memory for it now, which is no fault of its own
                raise
            except Exception as error:  # whatever it is, the other galleries go on
                self._metrics.galleries.failures.labels(self._metrics.galleries.label(name)).inc()
                raise self._failures.record(name, error) from error
            self._failures.forget(name)
            self._opened(gallery)
        finally:
            del self._opening[name]

    async def _load(self, name: str, folder: Path) -> OpenGallery:
        settings = await self._in_thread(lambda: settings_of_gallery(self._settings, name, folder))
        bundle = self.default.serving.bundle
        size = await self._in_thread(lambda: memory_of(settings, version_for(settings.index, bundle).version))
        async with self._budget.room(name, size):
            gallery = await self._in_thread(lambda: opened(name, settings, self.default.serving, size, self._metrics))
            self._budget.add(gallery)
        return gallery

    def _opened(self, gallery: OpenGallery) -> None:
        metrics = self._metrics.galleries
        metrics.opened.labels(metrics.label(gallery.name)).inc()
        metrics.is_open.labels(metrics.label(gallery.name)).inc()
        metrics.memory.set(self._budget.used_bytes)
        self._watching[gallery.name] = asyncio.create_task(self._watch(gallery))
        _log.info("gallery %s is open (%d bytes)", gallery.name, gallery.memory_bytes)

    async def _watch(self, gallery: OpenGallery) -> None:
        """New versions, changes online, jobs, whether it is still there, and whether anybody uses it."""
        runner = JobRunner(gallery.name, gallery.settings, gallery.serving, self._workers, lambda: self._held(gallery))
        jobs = asyncio.create_task(runner.run())
        try:
            await self._look_after(gallery)
        finally:
            jobs.cancel()

    @contextmanager
    def _held(self, gallery: OpenGallery) -> Iterator[None]:
        if self.find_open(gallery.name) is not gallery:
            raise asyncio.CancelledError  # it closes in this moment
        self._budget.take(gallery)
        try:
            yield
        finally:
            self._budget.give_back(gallery)

    async def _look_after(self, gallery: OpenGallery) -> None:
        while True:
            await asyncio.to_thread(gallery.online.check)
            await asyncio.sleep(self._settings.index_poll_s)
            if await asyncio.to_thread(self.folders.folder, gallery.name) is None:
                return self._retire(gallery, "removed")
            if gallery.idle_s > self._settings.galleries_idle_s:
                return self._retire(gallery, "idle")
            if await gallery.index.check():
                with suppress(IndexArtifactError):  # replaced once more in this moment: the next look will see it
                    gallery.memory_bytes = await asyncio.to_thread(memory_of, gallery.settings, gallery.serving.version)
                self._budget.trim()
                self._metrics.galleries.memory.set(self._budget.used_bytes)

    def _retire(self, gallery: OpenGallery, reason: str) -> None:
        """No further request gets it; it closes when the last one that has it is done."""
        self._budget.remove(gallery)
        metrics = self._metrics.galleries
        metrics.closed.labels(reason).inc()
        metrics.is_open.labels(metrics.label(gallery.name)).dec()
        metrics.memory.set(self._budget.used_bytes)
        _log.info("gallery %s closes: %s", gallery.name, reason)
        task = self._watching.pop(gallery.name)
        if task is not asyncio.current_task():
            task.cancel()

    async def _in_thread(self, job: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._executor, job)
