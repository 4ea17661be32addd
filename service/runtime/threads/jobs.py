"""Jobs and how they are run: one by one, or the encoder's part of several in one call."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import numpy as np

from models.arrays import Vectors

T_co = TypeVar("T_co", covariant=True)

AT_ONCE = 4
"""Sketches in one call: eight take 1 % less time each, and the first of them waits twice as long."""


class EncoderWork(Protocol[T_co]):
    """What a request does before and after its sketch is encoded. All of one process share an encoder."""

    @property
    def is_short(self) -> bool:
        """Whether everything but encoding takes a few milliseconds at most, and waits for nobody."""

    def begin(self) -> Vectors | None:
        """(n, 3, H, W) to be encoded; None where that takes long, and is to be done by `whole` in another thread."""

    def encode(self, inputs: Vectors, *, is_alone: bool) -> Vectors:
        """(B, 3, H, W) of several requests -> (B, E). `is_alone`: no other work is there for the machine's CPUs."""

    def finish(self, embeddings: Vectors, encode_ms: float) -> T_co:
        """(n, E), and how long the call took that they come from -> the answer."""

    def whole(self) -> T_co:
        """The answer, after a `begin` that returned None."""

    def end(self) -> None:
        """Called once after `begin`, whatever the result."""


@dataclass(slots=True)
class Job:
    """A function or an EncoderWork, in the context of who sent it; `future` is that one's, `tenant` takes turns."""

    future: asyncio.Future[Any]
    tenant: str = ""
    function: Callable[[], Any] | None = None
    work: EncoderWork[Any] | None = None
    queued: float = field(default_factory=time.perf_counter)
    context: Context = field(default_factory=copy_context)  # the request's id is a context variable
    _unclaimed: list[None] = field(default_factory=lambda: [None])

    def claim(self) -> bool:
        """Whether the caller is the first: either the thread that runs the job, or who drops it before its turn."""
        try:
            self._unclaimed.pop()  # atomic
        except IndexError:
            return False
        return True


@dataclass(slots=True)
class Outcome:
    """The result of a job, or the error that ended it."""

    job: Job
    result: Any = None
    error: BaseException | None = None


def run_together(
    jobs: Sequence[Job],
    aside: Callable[[Job], None],
    is_alone: Callable[[], bool],
    beside_encoder: AbstractContextManager[None] | None = None,
) -> list[Outcome]:
    """Jobs with work for the encoder, those of them that take long handed to `aside` -> the outcomes of the others.

    `is_alone`: asked where there is one job, whether there is no other work on the machine. `beside_encoder` is
    entered for what is done before the encoder's call, and again for what is done after it.
    """
    beside_encoder = beside_encoder or nullcontext()
    done: list[Outcome] = []
    begun: list[tuple[Job, EncoderWork[Any], Vectors]] = []
    with beside_encoder:
        for job in jobs:
            assert job.work is not None
            outcome = outcome_of(job, job.work.begin)
            if outcome.error is not None:
                job.work.end()
                done.append(outcome)
            elif outcome.result is None:
                aside(job)
            else:
                begun.append((job, job.work, outcome.result))
    return done + (_encoded(begun, beside_encoder, is_alone=len(jobs) == 1 and is_alone()) if begun else [])


def _encoded(
    begun: Sequence[tuple[Job, EncoderWork[Any], Vectors]],
    beside_encoder: AbstractContextManager[None],
    *,
    is_alone: bool,
) -> list[Outcome]:
    """One call of the encoder for all, then each by itself."""
    started = time.perf_counter()
    inputs = begun[0][2] if len(begun) == 1 else np.concatenate([rows for _, _, rows in begun])
    encoded = outcome_of(begun[0][0], lambda: begun[0][1].encode(inputs, is_alone=is_alone))
    encode_ms = (time.perf_counter() - started) * 1000
    outcomes, start = [], 0
    with beside_encoder:
        for job, work, rows in begun:
            if encoded.error is not None:
                outcomes.append(Outcome(job, error=encoded.error))
            else:
                embeddings = encoded.result[start : start + len(rows)]
                outcomes.append(outcome_of(job, lambda work=work, own=embeddings: work.finish(own, encode_ms)))  # type: ignore[misc]
            work.end()
            start += len(rows)
    return outcomes


def outcome_of(job: Job, function: Callable[[], Any] | None) -> Outcome:
    """What the function returns or raises, in the job's context."""
    assert function is not None
    outcome = Outcome(job)
    try:
        outcome.result = job.context.run(function)
    except BaseException as error:  # it is for whoever waits: the thread goes on
        # Without this frame, which holds the job: it would be a cycle, and keep images for long.
        outcome.error = error.with_traceback(error.__traceback__ and error.__traceback__.tb_next)
    return outcome


def settle(outcomes: Sequence[Outcome]) -> None:
    """Give them to who waits; on the event loop."""
    for outcome in outcomes:
        future = outcome.job.future
        if future.done():
            continue
        if outcome.error is None:
            future.set_result(outcome.result)
        elif isinstance(outcome.error, asyncio.CancelledError):
            future.cancel()
        else:
            future.set_exception(outcome.error)
