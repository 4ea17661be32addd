"""Turns at the interpreter, which threads of one process share: each asks for it ten times and more per image.

Two threads that prepare images at the same time hand the interpreter back and forth between any two calls, and wait
for each other longer than they compute. One behind the other, the second prepares while the first encodes, and they
stay like that.
"""

from __future__ import annotations

import threading
from types import TracebackType

_PATIENCE_S = 0.005  # about as long as four sketches or two small photos are prepared


class Turns:
    """A context manager that so many threads at once get through; whoever has waited for long gets through as well.

    A thread enters it once at a time.
    """

    def __init__(self, at_once: int, patience_s: float = _PATIENCE_S) -> None:
        """Nobody is within."""
        self._free = threading.Semaphore(at_once)
        self._patience_s = patience_s
        self._own = threading.local()

    def __enter__(self) -> None:
        """Wait for a turn, with patience."""
        self._own.has_turn = self._free.acquire(timeout=self._patience_s)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Leave the turn to the next, if it was one."""
        if self._own.has_turn:
            self._free.release()
