"""Several tenants, one set of threads: no tenant takes every place, and each has its turn."""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

T = TypeVar("T")


class Shares:
    """Places for requests, from one event loop: a tenant may hold as many as are left free (dynamic thresholds).

    Alone it gets half of them, two get a third each, and whoever comes new finds a place (Choudhury and Hahne 1998).
    """

    def __init__(self, places: int) -> None:
        """All free."""
        self.places = places
        self._held: Counter[str] = Counter()
        self._taken = 0

    @property
    def free(self) -> int:
        """Places that nobody holds."""
        return self.places - self._taken

    def is_full(self, tenant: str | None) -> bool:
        """Whether there is no place for it now; None stands for whoever has no others beside them, or is not known."""
        free = self.free
        return free <= 0 or (tenant is not None and self._held[tenant] >= free)

    @contextmanager
    def place(self, tenant: str | None) -> Iterator[None]:
        """Take one during the block; whether there is one was asked before."""
        self.take(tenant)
        try:
            yield
        finally:
            self.give_back(tenant)

    def take(self, tenant: str | None) -> None:
        """Take one, until it is given back."""
        self._taken += 1
        if tenant is not None:
            self._held[tenant] += 1

    def give_back(self, tenant: str | None) -> None:
        """Give one back that was taken."""
        self._taken -= 1
        if tenant is not None:
            self._held[tenant] -= 1
            if not self._held[tenant]:
                del self._held[tenant]


class FairQueue(Generic[T]):
    """Items of several tenants, from any thread: those of one in their order, the tenants by turns."""

    def __init__(self) -> None:
        """Empty."""
        self._waiting: OrderedDict[str, deque[T]] = OrderedDict()
        self._lock = threading.Lock()

    def put(self, tenant: str, item: T) -> None:
        """Behind the tenant's other items."""
        with self._lock:
            self._waiting.setdefault(tenant, deque()).append(item)

    def take(self) -> T:
        """The first item of the tenant whose turn it is. Raises KeyError where nothing waits."""
        with self._lock:
            tenant, items = self._waiting.popitem(last=False)
            item = items.popleft()
            if items:
                self._waiting[tenant] = items  # behind the others
        return item
