"""The seam between what is timed and what records it: a request has at most one recorder, found by context.

Without one, a stage costs the look at a context variable.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import Context, ContextVar
from typing import Protocol


class StageRecorder(Protocol):
    """Takes the stages of one request, from any thread."""

    def stage(self, name: str, began_s: float, ended_s: float) -> None:
        """`began_s` and `ended_s`: of `time.perf_counter`. A stage may lie within another, which ends later."""


_recorder: ContextVar[StageRecorder | None] = ContextVar("stage_recorder", default=None)
_NOTHING: AbstractContextManager[None] = nullcontext()


def bind_recorder(recorder: StageRecorder | None) -> None:
    """Give this task's stages, and those of the jobs that it starts, to `recorder`."""
    _recorder.set(recorder)


def report(name: str, began_s: float, ended_s: float) -> None:
    """A stage of this task's request is over; times as in `StageRecorder`."""
    if (recorder := _recorder.get()) is not None:
        recorder.stage(name, began_s, ended_s)


def report_in(context: Context, name: str, began_s: float, ended_s: float) -> None:
    """The same for a request that was begun in another task, by that one's context."""
    if (recorder := context.get(_recorder)) is not None:
        recorder.stage(name, began_s, ended_s)


def stage(name: str) -> AbstractContextManager[None]:
    """Time a block that nothing else times, where somebody wants to know."""
    return _NOTHING if _recorder.get() is None else _timed(name)


@contextmanager
def _timed(name: str) -> Iterator[None]:
    began = time.perf_counter()
    yield
    report(name, began, time.perf_counter())
