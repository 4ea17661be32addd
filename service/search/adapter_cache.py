"""Adapters made ready to score with, kept between answers within a budget of bytes. Thread-safe."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from models.adapters import StyleAdapter
from service.search.category_scorer import CategoryScorer

P = TypeVar("P", CategoryScorer, StyleAdapter)

# A scorer has 12 bytes for each photo of its category, and one of a fitted adapter the map's square: 0.4 MB where it is
# short, else 4 bytes for each pair of numbers (E, E).
CACHE_BYTES = 128 * 2**20


class AdapterCache:
    """What `make` returned for each key; the least recently used go first. Of one index version."""

    def __init__(self, max_bytes: int = CACHE_BYTES) -> None:
        """`max_bytes`: sum of the arrays kept; the newest one stays even if it is larger alone."""
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._turns: dict[object, threading.Lock] = {}
        self._ready: OrderedDict[object, tuple[Any, int]] = OrderedDict()
        self._bytes = 0

    def get(self, key: object, make: Callable[[], P]) -> P:
        """What is kept under `key`, or else what `make` returns; while it is made, other threads wait for it."""
        kept: P | None = self._find(key)
        if kept is not None:
            return kept
        with self.turn(key):
            kept = self._find(key)
            if kept is None:
                kept = make()
                self._keep(key, kept)
            return kept

    @contextmanager
    def turn(self, key: object) -> Iterator[None]:
        """One thread at a time for each `key`."""
        with self._lock:
            turn = self._turns.setdefault(key, threading.Lock())
        with turn:
            yield
        with self._lock:
            self._turns.pop(key, None)  # who waits already has it; who comes later finds the work done

    def _find(self, key: object) -> Any:
        with self._lock:
            if key not in self._ready:
                return None
            self._ready.move_to_end(key)
            return self._ready[key][0]

    def _keep(self, key: object, made: CategoryScorer | StyleAdapter) -> None:
        size = made.nbytes
        with self._lock:
            self._ready[key] = made, size
            self._bytes += size
            while self._bytes > self._max_bytes and len(self._ready) > 1:
                self._bytes -= self._ready.popitem(last=False)[1][1]
