"""Where vectors are searched: an accelerator behind the one thread that owns it, or the CPU and the reason why."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

from index_builder.stores.device.card import Card, CardIndex
from models.arrays import Rows, Vectors

T = TypeVar("T")

_log = logging.getLogger("inkseek.index")

_MOST_BATCHED = 256  # queries that wait together are answered by one call


@dataclass
class _Search:
    index: CardIndex
    query: Vectors
    k: int
    answer: Future[Rows] = field(default_factory=Future)


@dataclass
class _Call:
    function: Callable[[], Any]
    answer: Future[Any] = field(default_factory=Future)


class SearchDevice:
    """An accelerator or the CPU. Any thread may call it; one thread of its own makes every call of the accelerator.

    `problem`: why the CPU searches; None where the accelerator does, or none was wanted.
    """

    def __init__(self, card: Card | None = None, problem: str | None = None) -> None:
        """Without a `card`, the CPU. The thread starts with the first call."""
        self.problem = problem
        self._card = card
        self._jobs: queue.SimpleQueue[_Search | _Call | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closed = False

    @classmethod
    def of(cls, find: Callable[[], Card | str]) -> SearchDevice:
        """What `find` returns, an accelerator or why there is none, called on the thread that will own it."""
        device = cls()
        found = device.run(find)
        if isinstance(found, str):
            device.close()
            device.problem = found
        else:
            device._card = found
        return device

    @property
    def card(self) -> Card | None:
        """The accelerator, as long as it works."""
        return None if self.problem else self._card

    @property
    def name(self) -> str:
        """Where searches are computed now: "cpu", or the accelerator's name."""
        card = self.card
        return card.name if card else "cpu"

    @property
    def wanted(self) -> str:
        """Where searches were computed when the process began."""
        return self._card.name if self._card else "cpu"

    def run(self, function: Callable[[], T]) -> T:
        """Call a function on the owner's thread, and wait for it. Raises what it raises."""
        call = _Call(function)
        self._submit(call)
        result: T = call.answer.result()
        return result

    def search(self, index: CardIndex, queries: Vectors, k: int) -> list[Rows]:
        """(Q, E) -> (k,) rows of `index` for each, answered together with whatever else waits. Raises RuntimeError."""
        jobs = [_Search(index, query, k) for query in queries]
        for job in jobs:
            self._submit(job)
        return [job.answer.result() for job in jobs]

    @property
    def waiting(self) -> int:
        """Searches and calls that wait for the thread, without those that it works on."""
        return self._jobs.qsize()

    def failed(self, error: Exception) -> None:
        """The accelerator gave an error: from now on the CPU searches, until the process starts anew."""
        if self.problem is None:
            self.problem = f"the {self._card.name if self._card else 'device'} failed ({type(error).__name__})"
            _log.error("%s, searches go on on the CPU: %s", self.problem, error)

    def close(self) -> None:
        """End the thread, once it has done what was submitted; nothing is searched afterwards."""
        with self._lock:
            self._closed = True
            thread = self._thread
        if thread is not None:
            self._jobs.put(None)
            thread.join()

    def _submit(self, job: _Search | _Call) -> None:
        with self._lock:
            if self._closed:
                raise RuntimeError("the device is closed")
            if self._thread is None:
                self._thread = threading.Thread(target=self._own, name="inkseek-device", daemon=True)
                self._thread.start()
            self._jobs.put(job)

    def _own(self) -> None:
        held: _Search | _Call | None = None
        while True:
            job, held = held or self._jobs.get(), None
            if job is None:
                return
            if isinstance(job, _Call):
                _answer(job.answer, job.function)
                continue
            batch = [job]
            while len(batch) < _MOST_BATCHED:
                try:
                    following = self._jobs.get_nowait()
                except queue.Empty:
                    break
                if isinstance(following, _Search) and following.index is job.index:
                    batch.append(following)
                    continue
                held = following
                if held is None:
                    self._jobs.put(None)  # the end, once this batch is answered
                break
            _answer_together(batch)


CPU = SearchDevice()
"""No accelerator, by choice; it never starts a thread."""


def _answer(answer: Future[Any], function: Callable[[], Any]) -> None:
    try:
        answer.set_result(function())
    except BaseException as error:  # whoever waits gets it, and the thread goes on
        answer.set_exception(error)


def _answer_together(batch: list[_Search]) -> None:
    try:
        rows = batch[0].index.search(np.stack([job.query for job in batch]), max(job.k for job in batch))
    except BaseException as error:  # as above
        for job in batch:
            job.answer.set_exception(error)
        return
    for job, found in zip(batch, rows, strict=True):
        job.answer.set_result(found[: job.k])
