"""Work around an encoder's call: together where it waits anyway, each answered by itself, the long of it aside."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import pytest

from models.arrays import Vectors
from service.runtime.metrics import Metrics
from service.runtime.threads.workers import Workers


@contextmanager
def workers(threads: int = 1, *, has_spare_cpus: bool = False) -> Iterator[Workers]:
    pool = Workers(threads, 64, 5.0, Metrics(), has_spare_cpus=lambda: has_spare_cpus)
    try:
        yield pool
    finally:
        pool.close()


@dataclass
class Doubling:
    """Its inputs are its number, in `rows` rows; the encoder doubles, and the answer is the sum."""

    number: float
    rows: int = 1
    fault: str = ""
    is_short: bool = True
    calls: list[int] = field(default_factory=list)  # sizes of the encoder's batches, shared by several
    ended: int = 0
    thread: str = ""
    was_alone: bool | None = None
    beside: threading.Barrier | None = None  # another one that is encoded at the same time

    def begin(self) -> Vectors | None:
        if self.fault == "begin":
            raise ValueError(f"begin {self.number}")
        self._wait()
        return None if self.fault == "long" else np.full((self.rows, 3, 2, 2), self.number, np.float32)

    def encode(self, inputs: Vectors, *, is_alone: bool) -> Vectors:
        if self.fault == "encode":
            raise ValueError("encode")
        self.calls.append(len(inputs))
        self.was_alone = is_alone
        self._wait()
        doubled: Vectors = inputs[:, 0, 0] * 2
        return doubled

    def finish(self, embeddings: Vectors, encode_ms: float) -> float:
        self.thread = threading.current_thread().name
        if self.fault == "finish":
            raise ValueError(f"finish {self.number}")
        assert embeddings.shape == (self.rows, 2) and encode_ms >= 0
        return float(embeddings[:, 0].sum())

    def whole(self) -> float:
        self.thread = threading.current_thread().name
        return -self.number

    def end(self) -> None:
        self.ended += 1

    def _wait(self) -> None:
        if self.beside is not None:
            self.beside.wait(5)


async def answers(pool: Workers, work: list[Doubling]) -> list[float | BaseException]:
    """All of them, sent while the lane was busy."""
    release = threading.Event()
    busy = pool.run(release.wait)
    sent = [pool.encode(one) for one in work]
    release.set()
    await busy
    return await asyncio.gather(*sent, return_exceptions=True)


def test_what_waits_is_encoded_together_and_answered_apart() -> None:
    calls: list[int] = []
    work = [Doubling(number, rows, calls=calls) for number, rows in enumerate((1, 2, 1, 1, 2, 1), 1)]
    with workers() as pool:
        assert asyncio.run(answers(pool, work)) == [2, 8, 6, 8, 20, 12]
    assert calls == [5, 3]  # rows of the first four, and of the two that were left
    assert [one.ended for one in work] == [1] * 6


def test_one_that_is_alone_waits_for_nobody() -> None:
    async def scenario(pool: Workers) -> list[float]:
        return [await pool.encode(one) for one in work]

    calls: list[int] = []
    work = [Doubling(number, calls=calls) for number in range(3)]
    with workers() as pool:
        assert asyncio.run(scenario(pool)) == [0, 2, 4]
    assert calls == [1, 1, 1]


def test_one_is_alone_while_no_other_thread_has_a_sketch_and_there_are_cpus() -> None:
    async def scenario(pool: Workers) -> None:
        await pool.encode(first)
        await asyncio.gather(*map(pool.encode, both))

    barrier = threading.Barrier(2)
    first, both = Doubling(1), [Doubling(2, beside=barrier), Doubling(3, beside=barrier)]
    with workers(threads=2, has_spare_cpus=True) as pool:
        asyncio.run(scenario(pool))
    assert first.was_alone is True and [one.was_alone for one in both] == [False, False]
    unlucky = Doubling(4)
    with workers(threads=2) as pool:
        asyncio.run(answers(pool, [unlucky]))
    assert unlucky.was_alone is False


def test_a_fault_is_its_own() -> None:
    calls: list[int] = []
    work = [Doubling(1, calls=calls), Doubling(2, fault="begin"), Doubling(3, fault="finish"), Doubling(4, calls=calls)]
    with workers() as pool:
        first, second, third, fourth = asyncio.run(answers(pool, work))
    assert (first, fourth) == (2, 8) and calls == [3]
    assert isinstance(second, ValueError) and str(second) == "begin 2"
    assert isinstance(third, ValueError) and str(third) == "finish 3"
    assert [one.ended for one in work] == [1] * 4


def test_a_fault_of_the_encoder_is_everybodys() -> None:
    work = [Doubling(1, fault="encode"), Doubling(2)]
    with workers() as pool:
        assert [str(error) for error in asyncio.run(answers(pool, work))] == ["encode"] * 2
    assert [one.ended for one in work] == [1] * 2


def test_what_takes_long_keeps_no_other_from_its_turn() -> None:
    work = [Doubling(5, fault="long"), Doubling(6)]
    with workers() as pool:
        assert asyncio.run(answers(pool, work)) == [-5, 12]
    assert work[0].thread.startswith("inkseek_aside") and not work[1].thread.startswith("inkseek_aside")
    assert [one.ended for one in work] == [1] * 2


@pytest.mark.skipif(sys.platform != "linux", reason="a priority per thread")
def test_changes_get_the_time_that_searches_leave() -> None:
    def niceness() -> tuple[str, int]:
        return threading.current_thread().name, os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    async def scenario(pool: Workers) -> list[tuple[str, int]]:
        return list(await asyncio.gather(pool.run(niceness), pool.run_aside(niceness), pool.run_behind(niceness)))

    own = os.getpriority(os.PRIO_PROCESS, 0)
    with workers() as pool:
        first, aside, behind = asyncio.run(scenario(pool))
    assert first[1] == aside[1] == own and behind[1] == min(19, own + 10)
    assert (aside[0][:13], behind[0][:14]) == ("inkseek_aside", "inkseek_behind")


def test_a_job_between_keeps_its_place() -> None:
    order: list[str] = []
    calls: list[int] = []

    async def scenario(pool: Workers) -> None:
        release = threading.Event()
        busy = pool.run(release.wait)
        first = pool.encode(Doubling(1, calls=calls))
        between = pool.run(lambda: order.append(f"after {calls}"))
        last = pool.encode(Doubling(2, calls=calls))
        release.set()
        await asyncio.gather(busy, first, between, last)

    with workers() as pool:
        asyncio.run(scenario(pool))
    assert (order, calls) == (["after [1]"], [1, 1])


def test_closing_drops_what_has_not_begun() -> None:
    release, begun = threading.Event(), threading.Event()
    pool = Workers(1, 64, 5.0, Metrics())

    def job() -> None:
        begun.set()
        release.wait()

    async def scenario() -> None:
        busy, waiting = pool.run(job), pool.encode(Doubling(1))
        await asyncio.to_thread(begun.wait, 5)
        closing = asyncio.create_task(asyncio.to_thread(pool.close))
        await asyncio.sleep(0.05)
        release.set()
        await closing
        await busy
        with pytest.raises(asyncio.CancelledError):
            await waiting
        with pytest.raises(RuntimeError):
            pool.encode(Doubling(2))

    asyncio.run(scenario())
