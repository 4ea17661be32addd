"""Worker threads: bounded admission, first come first served, given up when nobody waits."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from service.errors import ClientGone, DeadlineExceeded, QueueFull
from service.runtime.logs import bind_request_id, current_request_id
from service.runtime.metrics import Metrics
from service.runtime.threads.slots import Slots
from service.runtime.threads.workers import Workers


@contextmanager
def workers(threads: int = 1, queue_size: int = 1, timeout_s: float = 5.0) -> Iterator[tuple[Workers, Metrics]]:
    metrics = Metrics()
    pool = Workers(threads, queue_size, timeout_s, metrics)
    try:
        yield pool, metrics
    finally:
        pool.close()


def sample(metrics: Metrics, name: str) -> float:
    lines = metrics.exposition().decode().splitlines()
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name))


async def connected() -> Any:
    """A client that waits for ever."""
    await asyncio.get_running_loop().create_future()


def channel(*messages: str) -> Callable[[], Coroutine[Any, Any, Any]]:
    """An ASGI channel of those messages, then silence."""
    rest = list(messages)

    async def receive() -> Any:
        if rest:
            return {"type": rest.pop(0)}
        return await connected()

    return receive


def test_as_many_as_threads_and_queue_are_admitted() -> None:
    with workers(threads=2, queue_size=1) as (pool, metrics):
        with pool.admission(), pool.admission(), pool.admission():
            with pytest.raises(QueueFull, match="3 requests"):
                pool.reject_when_full()
            with pytest.raises(QueueFull), pool.admission():
                pass
        pool.reject_when_full()  # places are given back
        assert sample(metrics, 'inkseek_rejected_total{reason="queue_full"}') == 2
        assert (sample(metrics, "inkseek_threads "), sample(metrics, "inkseek_queue_limit ")) == (2, 1)


def test_a_failure_gives_its_place_back() -> None:
    with workers(threads=1, queue_size=0) as (pool, _):
        for _ in range(3):
            with pytest.raises(ValueError, match="x"), pool.admission():
                raise ValueError("x")
        with pool.admission():
            pass


def test_jobs_run_in_their_order_with_the_callers_request_id() -> None:
    with workers(threads=1) as (pool, metrics):

        async def scenario() -> list[tuple[int, str, bool]]:
            def job(number: int) -> tuple[int, str, bool]:
                return number, current_request_id(), threading.current_thread() is threading.main_thread()

            async def request(number: int) -> tuple[int, str, bool]:
                bind_request_id(f"r-{number}")
                return await pool.run(lambda: job(number))

            return list(await asyncio.gather(*(request(number) for number in range(6))))

        assert asyncio.run(scenario()) == [(number, f"r-{number}", False) for number in range(6)]
        assert sample(metrics, "inkseek_queue ") == 0
        assert sample(metrics, 'inkseek_stage_seconds_count{stage="wait"}') == 6


def test_what_a_job_raises_arrives() -> None:
    with workers() as (pool, _):

        async def scenario() -> None:
            with pytest.raises(ZeroDivisionError):
                await pool.run(lambda: 1 // 0)
            assert await pool.answer(pool.run(lambda: 5), connected) == 5

        asyncio.run(scenario())


def test_a_job_cancelled_before_its_turn_never_runs() -> None:
    ran: list[str] = []
    release = threading.Event()
    with workers(threads=1) as (pool, metrics):

        async def scenario() -> None:
            first = pool.run(release.wait)
            second = pool.run(lambda: ran.append("second"))
            await asyncio.sleep(0.01)
            second.cancel()
            await asyncio.gather(second, return_exceptions=True)
            release.set()
            await first

        asyncio.run(scenario())
        assert ran == []
        assert sample(metrics, "inkseek_queue ") == 0


def test_a_late_answer_and_a_client_that_left() -> None:
    with workers(timeout_s=0.05) as (pool, metrics):

        async def scenario() -> None:
            never: asyncio.Future[int] = asyncio.get_running_loop().create_future()
            with pytest.raises(DeadlineExceeded, match=r"within 0\.05 s"):
                await pool.answer(never, connected)
            assert never.cancelled()
            never = asyncio.get_running_loop().create_future()
            with pytest.raises(ClientGone):
                await pool.answer(never, channel("http.request", "http.disconnect"))
            assert never.cancelled()

        asyncio.run(scenario())
        assert sample(metrics, 'inkseek_rejected_total{reason="deadline"}') == 1
        assert sample(metrics, 'inkseek_rejected_total{reason="client_gone"}') == 1


def test_what_takes_long_has_slots_of_its_own() -> None:
    metrics = Metrics()
    slots = Slots(2, "adapters are being fitted", metrics)
    with slots.admission(), slots.admission(), pytest.raises(QueueFull, match="adapters"), slots.admission():
        pass
    with pytest.raises(ValueError, match="x"), slots.admission():
        raise ValueError("x")
    with slots.admission(), slots.admission():
        pass
    assert sample(metrics, 'inkseek_rejected_total{reason="queue_full"}') == 1
