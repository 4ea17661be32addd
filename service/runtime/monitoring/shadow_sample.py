"""A sample of searches, repeated exactly in the background: `service.search.shadow` says what is measured."""

from __future__ import annotations

import logging
import queue
import random
import threading
from collections.abc import Callable

from models.arrays import Vectors
from service.runtime.priority import stand_back
from service.runtime.serving import Serving
from service.search.retriever import BegunSearch
from service.search.shadow import recall_of

_log = logging.getLogger("inkseek.service")

_Search = tuple[Serving, BegunSearch, Vectors]


class ShadowSample:
    """One thread repeats one search at a time. While it does, one more waits, and all others are left out.

    It stands back, so a service under load answers no later for it.
    """

    def __init__(self, share: float, observe: Callable[[float], None]) -> None:
        """`share` of the searches, in [0, 1]: 0 starts nothing. `observe` gets the recall of each that is repeated."""
        self._share = share
        self._observe = observe
        self._random = random.Random()
        self._waiting: queue.Queue[_Search | None] = queue.Queue(maxsize=1)
        self._thread = threading.Thread(target=self._run, name="shadow", daemon=True) if share > 0 else None
        if self._thread is not None:
            self._thread.start()

    def offer(self, serving: Serving, begun: BegunSearch, vectors: Vectors) -> None:
        """A search that was just answered; `vectors` (n, E): the embeddings of its inputs. Waits for nobody."""
        if self._thread is None or self._random.random() >= self._share:
            return
        try:
            self._waiting.put_nowait((serving, begun, vectors))
        except queue.Full:
            return

    def close(self) -> None:
        """End the thread after what it is about."""
        if self._thread is not None:
            self._waiting.put(None)
            self._thread.join()

    def _run(self) -> None:
        stand_back()
        while (search := self._waiting.get()) is not None:
            try:
                self._repeat(*search)
            except Exception:  # whatever it is, the search itself was answered, and the next one is repeated
                _log.exception("a search could not be repeated exactly")

    def _repeat(self, serving: Serving, begun: BegunSearch, vectors: Vectors) -> None:
        # Borrowed anew, which keeps the index open; another one may be in service by now.
        with serving.borrow() as retriever:
            if retriever.index is begun.gallery.view.index and (recall := recall_of(begun, vectors)) is not None:
                self._observe(recall)
