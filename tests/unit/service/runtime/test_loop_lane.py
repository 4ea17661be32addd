"""Short work on the event loop: together where it waits anyway; in threads where it could keep the loop for long."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import pytest

from models.arrays import Vectors
from service.runtime.metrics import Metrics
from service.runtime.threads.workers import Workers


@contextmanager
def workers(*, has_spare_cpus: bool = False) -> Iterator[Workers]:
    pool = Workers(1, 64, 5.0, Metrics(), on_loop=True, has_spare_cpus=lambda: has_spare_cpus)
    try:
        yield pool
    finally:
        pool.close()


@dataclass
class Tripling:
    """The encoder triples its number; `threads` has the name of the thread of each answer."""

    number: float
    is_short: bool = True
    fault: str = ""
    encode_s: float = 0.0
    calls: list[int] = field(default_factory=list)  # sizes of the encoder's batches, shared by several
    threads: list[str] = field(default_factory=list)
    alone: list[bool] = field(default_factory=list)  # whether each batch was, shared by several
    ended: int = 0

    def begin(self) -> Vectors | None:
        if self.fault == "begin":
            raise ValueError(f"begin {self.number}")
        return None if self.fault == "long" else np.full((1, 3, 2, 2), self.number, np.float32)

    def encode(self, inputs: Vectors, *, is_alone: bool) -> Vectors:
        self.calls.append(len(inputs))
        self.alone.append(is_alone)
        end = time.thread_time() + self.encode_s
        while time.thread_time() < end:
            pass
        tripled: Vectors = inputs[:, 0, 0] * 3
        return tripled

    def finish(self, embeddings: Vectors, encode_ms: float) -> float:
        self.threads.append(threading.current_thread().name)
        return float(embeddings[0, 0])

    def whole(self) -> float:
        self.threads.append(threading.current_thread().name)
        return -self.number

    def end(self) -> None:
        self.ended += 1
        if self.fault == "end":
            raise RuntimeError("end")


MAIN = threading.main_thread().name


def test_what_comes_in_one_turn_of_the_loop_is_encoded_together_on_it() -> None:
    calls: list[int] = []
    work = [Tripling(number, calls=calls) for number in range(6)]

    async def scenario(pool: Workers) -> list[float]:
        await pool.encode(Tripling(0))  # now it is known how long one takes
        return await asyncio.gather(*map(pool.encode, work))

    with workers() as pool:
        assert asyncio.run(scenario(pool)) == [0, 3, 6, 9, 12, 15]
    assert calls == [4, 2]
    assert {name for one in work for name in one.threads} == {MAIN}
    assert [one.ended for one in work] == [1] * 6


@pytest.mark.parametrize("has_spare_cpus", [True, False])
def test_one_that_nothing_waits_beside_is_alone_where_there_are_cpus(has_spare_cpus: bool) -> None:
    alone: list[bool] = []

    async def scenario(pool: Workers) -> None:
        await pool.encode(Tripling(0, alone=alone))
        await asyncio.gather(*(pool.encode(Tripling(number, alone=alone)) for number in range(5)))

    with workers(has_spare_cpus=has_spare_cpus) as pool:
        asyncio.run(scenario(pool))
    # The first by itself, four together, and the last of them when nothing else is there.
    assert alone == [has_spare_cpus, False, has_spare_cpus]


def test_the_loop_turns_between_two_calls() -> None:
    turns: list[int] = []
    calls: list[int] = []

    async def watch() -> None:
        while True:
            turns.append(len(calls))
            await asyncio.sleep(0)

    async def scenario(pool: Workers) -> None:
        watching = asyncio.create_task(watch())
        await asyncio.gather(*(pool.encode(Tripling(number, calls=calls)) for number in range(12)))
        watching.cancel()

    with workers() as pool:
        asyncio.run(scenario(pool))
    assert set(turns) >= set(range(1, len(calls) - 1)) and len(calls) >= 3


def test_work_that_is_not_short_has_a_thread_and_what_comes_meanwhile_joins_it() -> None:
    release = threading.Event()

    async def scenario(pool: Workers) -> list[float]:
        busy = pool.run(release.wait)
        sent = [pool.encode(first), pool.encode(second)]
        release.set()
        await busy
        answered = await asyncio.gather(*sent)
        return [*answered, await pool.encode(third)]

    first, second, third = Tripling(1, is_short=False), Tripling(2), Tripling(3)
    with workers() as pool:
        assert asyncio.run(scenario(pool)) == [3, 6, 9]
    assert (first.threads, second.threads, third.threads) == (["inkseek_0"], ["inkseek_0"], [MAIN])


def test_a_slow_encoder_keeps_the_loop_once_and_then_has_threads() -> None:
    work = [Tripling(number, encode_s=0.05) for number in range(3)]

    async def scenario(pool: Workers) -> list[float]:
        return [await pool.encode(one) for one in work]

    with workers() as pool:
        assert asyncio.run(scenario(pool)) == [0, 3, 6]
    assert [one.threads for one in work] == [[MAIN], ["inkseek_0"], ["inkseek_0"]]


def test_faults_and_work_that_turns_out_long() -> None:
    work = [Tripling(1, fault="begin"), Tripling(2, fault="long"), Tripling(3)]

    async def scenario(pool: Workers) -> list[float | BaseException]:
        return await asyncio.gather(*map(pool.encode, work), return_exceptions=True)

    with workers() as pool:
        fault, long, good = asyncio.run(scenario(pool))
    assert isinstance(fault, ValueError) and str(fault) == "begin 1"
    assert (long, good) == (-2, 9)
    assert work[1].threads[0].startswith("inkseek_aside")
    assert [one.ended for one in work] == [1] * 3


def test_a_fault_that_nobody_foresaw_keeps_nobody_from_its_turn() -> None:
    async def scenario(pool: Workers) -> tuple[float, list[str]]:
        logged: list[str] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, about: logged.append(str(about["exception"])))
        await pool.encode(Tripling(0))
        lost = [pool.encode(Tripling(number, fault="end")) for number in range(4)]
        answer = await pool.encode(Tripling(5))
        for future in lost:
            future.cancel()
        return answer, logged

    with workers() as pool:
        assert asyncio.run(scenario(pool)) == (15, ["end"])


def test_who_gives_up_before_its_turn_is_never_answered() -> None:
    async def scenario(pool: Workers) -> None:
        gone, stays = pool.encode(left), pool.encode(Tripling(2))
        gone.cancel()
        assert await stays == 6
        pool.close()
        with pytest.raises(RuntimeError):
            pool.encode(Tripling(3))

    left = Tripling(1)
    with workers() as pool:
        asyncio.run(scenario(pool))
    assert (left.threads, left.ended) == ([], 0)
