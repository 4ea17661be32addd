"""Which galleries are open, within a budget of memory: for a new one, the least recently used ones close."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from service.errors import GalleryUnavailable
from service.runtime.galleries.open_gallery import OpenGallery

_TOO_LARGE_RETRY_S = 60  # only a smaller index or another budget changes it

Evict = Callable[[OpenGallery], None]


class MemoryBudget:
    """The open galleries, least recently used first. Used from one event loop.

    A gallery that is given up while requests hold it counts until the last of them is done.
    """

    def __init__(self, limit_bytes: int, wait_s: float, evict: Evict) -> None:
        """`wait_s`: longest wait for galleries in use. `evict`: called with each one to close; it calls `remove`."""
        self.galleries: OrderedDict[str, OpenGallery] = OrderedDict()
        self._limit_bytes = limit_bytes
        self._wait_s = wait_s
        self._evict = evict
        self._draining: list[OpenGallery] = []
        self._reserved_bytes = 0
        self._freed = asyncio.Event()
        self._turn = asyncio.Lock()

    @property
    def used_bytes(self) -> int:
        """Bytes of what is open, being opened, or still held by requests."""
        held = [*self.galleries.values(), *self._draining]
        return sum(gallery.memory_bytes for gallery in held) + self._reserved_bytes

    @asynccontextmanager
    async def room(self, name: str, size_bytes: int) -> AsyncIterator[None]:
        """Room for a gallery while it is being opened, with which others may have to close.

        Raises GalleryUnavailable when it is larger than the budget, or the others do not come free in time.
        """
        if size_bytes > self._limit_bytes:
            raise GalleryUnavailable(
                f"the gallery {name!r} takes about {size_bytes:,} bytes of memory; INKSEEK_GALLERIES_MEMORY_BYTES "
                f"allows {self._limit_bytes:,}",
                _TOO_LARGE_RETRY_S,
            )
        try:
            # One at a time: two that make room for themselves would each close what the other one leaves open.
            async with asyncio.timeout(self._wait_s), self._turn:
                await self._make_room(size_bytes)
                self._reserved_bytes += size_bytes
        except TimeoutError as error:
            raise GalleryUnavailable(
                f"the gallery {name!r} has to wait for memory: all of it is used by galleries with requests in flight"
            ) from error
        try:
            yield
        finally:
            self._reserved_bytes -= size_bytes
            self._freed.set()

    def add(self, gallery: OpenGallery) -> None:
        """From now on it is open, and the most recently used one."""
        self.galleries[gallery.name] = gallery

    def take(self, gallery: OpenGallery) -> None:
        """A request holds it open from now on."""
        gallery.leases += 1
        self.galleries.move_to_end(gallery.name)

    def give_back(self, gallery: OpenGallery) -> None:
        """The request is done; a gallery that was given up meanwhile closes with the last one."""
        gallery.leases -= 1
        gallery.used_at = time.monotonic()
        if gallery in self._draining and not gallery.leases:
            self._draining.remove(gallery)
            self._close(gallery)

    def remove(self, gallery: OpenGallery) -> None:
        """No further request gets it; it closes as soon as none holds it."""
        del self.galleries[gallery.name]
        if gallery.leases:
            self._draining.append(gallery)
        else:
            self._close(gallery)

    def trim(self) -> None:
        """Close what is too much, after a gallery has grown by a new index version."""
        self._evict_for(0)

    async def _make_room(self, size_bytes: int) -> None:
        self._evict_for(size_bytes)
        while self.used_bytes + size_bytes > self._limit_bytes:
            self._freed.clear()
            await self._freed.wait()
            self._evict_for(size_bytes)

    def _evict_for(self, size_bytes: int) -> None:
        # What is closing already comes free by itself.
        closing = sum(gallery.memory_bytes for gallery in self._draining)
        excess = self.used_bytes - closing + size_bytes - self._limit_bytes
        # A stable sort: those without requests first, each kind by when it was used last.
        for gallery in sorted(self.galleries.values(), key=lambda gallery: gallery.leases > 0):
            if excess <= 0:
                break
            self._evict(gallery)
            excess -= gallery.memory_bytes

    def _close(self, gallery: OpenGallery) -> None:
        gallery.serving.close()
        self._freed.set()
