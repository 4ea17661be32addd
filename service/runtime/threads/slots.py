"""Requests of a kind that takes longer than a search, bounded in number so that searches always find a place."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from service.errors import QueueFull
from service.runtime.metrics import Metrics
from service.runtime.threads.fairness import Shares


class Slots:
    """For requests with examples, and for changes of a gallery: each kind has its own. Used from one event loop."""

    def __init__(self, at_once: int, doing: str, metrics: Metrics) -> None:
        """`at_once`: as many as may be answered at the same time. `doing`: what the error says of them."""
        self._shares = Shares(at_once)
        self._doing = doing
        self._metrics = metrics

    def reject_when_full(self, tenant: str | None = None) -> None:
        """Raises QueueFull; called before a body is read that no slot would be free for. `tenant`: see `Shares`."""
        if self._shares.is_full(tenant):
            self._metrics.rejected.labels("queue_full").inc()
            raise QueueFull(f"as many {self._doing} as may be at once")

    @contextmanager
    def admission(self, tenant: str | None = None) -> Iterator[None]:
        """One slot, for the duration of the block. Raises QueueFull."""
        self.reject_when_full(tenant)
        with self._shares.place(tenant):
            yield
