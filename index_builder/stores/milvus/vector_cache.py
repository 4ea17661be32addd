"""Vectors that were fetched, kept within a budget of bytes: a category is scored again with each search in it."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable

from models.arrays import Rows, Vectors

CACHE_BYTES = 256 * 2**20
"""Of one store in one process: 80,000 vectors of 800 numbers."""


class VectorCache:
    """The vectors of whole sets of rows, the least recently used ones going first. Thread-safe."""

    def __init__(self, max_bytes: int = CACHE_BYTES) -> None:
        """`max_bytes`: of all vectors kept; larger sets are not kept."""
        self.max_bytes = max_bytes
        self._kept: OrderedDict[bytes, Vectors] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, rows: Rows, fetch: Callable[[Rows], Vectors]) -> Vectors:
        """The vectors of exactly these rows (R,) -> (R, E), read-only; `fetch` is called for what is not kept."""
        key = _key_of(rows)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        vectors = fetch(rows)  # outside of the lock: at worst two threads fetch the same
        self.keep(rows, vectors)
        return vectors

    def keep(self, rows: Rows, vectors: Vectors) -> None:
        """Keep the vectors (R, E) of these rows (R,), which are read-only from now on."""
        key = _key_of(rows)
        vectors.flags.writeable = False
        if vectors.nbytes > self.max_bytes:
            return
        with self._lock:
            if key in self._kept:
                return
            self._kept[key] = vectors
            self._bytes += vectors.nbytes
            while self._bytes > self.max_bytes:
                self._bytes -= self._kept.popitem(last=False)[1].nbytes


def _key_of(rows: Rows) -> bytes:
    return hashlib.blake2b(rows.tobytes(), digest_size=16).digest()
