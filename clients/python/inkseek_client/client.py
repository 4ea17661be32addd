"""The two clients: all methods of `surface` on one object."""

from __future__ import annotations

import copy
from types import TracebackType
from typing import Self

from inkseek_client.surface.adapters import AdapterCalls, AsyncAdapterCalls
from inkseek_client.surface.keys import AsyncKeyCalls, KeyCalls
from inkseek_client.surface.operation import AsyncOperation, Operation
from inkseek_client.surface.photos import AsyncPhotoCalls, PhotoCalls
from inkseek_client.surface.search import AsyncSearch, Search


class Client(Search, PhotoCalls, AdapterCalls, KeyCalls, Operation):
    """A blocking client; threads may share one. Close it, or use it as a context manager.

    Calls are retried within `retries`: idempotent ones, searches among them, after broken connections and answers 429,
    502, 503 and 504; others only after answers 429 and 503, which say that nothing was done, or where no connection
    was made. Retry-After is honoured.
    """

    def in_gallery(self, gallery: str | None) -> Self:
        """The same client for another gallery, over the same connections; None: the default gallery."""
        other = copy.copy(self)
        other._gallery = gallery
        return other

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        self.close()


class AsyncClient(AsyncSearch, AsyncPhotoCalls, AsyncAdapterCalls, AsyncKeyCalls, AsyncOperation):
    """The client for asyncio: the same methods, to be awaited; `iter_…` and `search_folder` are for `async for`."""

    def in_gallery(self, gallery: str | None) -> Self:
        """As `Client.in_gallery`."""
        other = copy.copy(self)
        other._gallery = gallery
        return other

    async def __aenter__(self) -> Self:
        """Itself."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        await self.aclose()
