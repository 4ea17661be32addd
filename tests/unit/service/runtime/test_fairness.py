"""Places and turns between tenants: nobody is shut out by somebody else's requests."""

from __future__ import annotations

import asyncio
import functools
import itertools
import threading
from contextlib import ExitStack

import pytest

from service.errors import QueueFull
from service.runtime.metrics import Metrics
from service.runtime.threads.fairness import FairQueue, Shares
from service.runtime.threads.slots import Slots
from service.runtime.threads.workers import Workers


def fill(shares: Shares, tenants: str, stack: ExitStack) -> dict[str, int]:
    """Every tenant takes what it gets, again and again; how many places each holds then."""
    held = dict.fromkeys(tenants, 0)
    while takers := [tenant for tenant in tenants if not shares.is_full(tenant)]:
        for tenant in takers:
            if not shares.is_full(tenant):
                stack.enter_context(shares.place(tenant))
                held[tenant] += 1
    return held


@pytest.mark.parametrize("greedy", [1, 2, 3, 5])
def test_whoever_comes_new_finds_a_place(greedy: int) -> None:
    shares = Shares(66)
    with ExitStack() as stack:
        held = fill(shares, "abcdefgh"[:greedy], stack)
        assert set(held.values()) <= {66 // (greedy + 1), 66 // (greedy + 1) + 1}
        assert not shares.is_full("new") and not shares.is_full(None)
    with ExitStack() as stack:  # all was given back
        assert fill(shares, "a", stack) == {"a": 33}


def test_without_others_every_place_is_taken() -> None:
    shares = Shares(5)
    with ExitStack() as stack:
        for _ in range(5):
            assert not shares.is_full(None)
            stack.enter_context(shares.place(None))
        assert shares.is_full(None) and shares.is_full("new")


def test_tenants_take_turns_and_keep_their_order() -> None:
    queue: FairQueue[tuple[str, int]] = FairQueue()
    items = [(tenant, number) for tenant, count in (("a", 40), ("b", 3), ("c", 9)) for number in range(count)]
    for item in items:
        queue.put(item[0], item)
    taken = [queue.take() for _ in items]
    assert sorted(taken) == sorted(items)
    for tenant in "abc":
        numbers = [number for name, number in taken if name == tenant]
        assert numbers == sorted(numbers)
    # The naive definition: while several wait, no tenant has two turns before the others had one.
    assert [name for name, _ in taken[:9]] == ["a", "b", "c"] * 3
    assert all(first != second for (first, _), (second, _) in itertools.pairwise(taken[:20]))
    with pytest.raises(KeyError):
        queue.take()


def test_one_tenants_jobs_do_not_hold_up_anothers() -> None:
    workers, release = Workers(1, 64, 5.0, Metrics()), threading.Event()
    order: list[str] = []

    async def scenario() -> None:
        first = asyncio.ensure_future(workers.run(release.wait))
        names = [f"greedy {number}" for number in range(20)] + ["new 0", "new 1"]
        jobs = [
            asyncio.ensure_future(workers.run(functools.partial(order.append, name), name.split()[0])) for name in names
        ]
        await asyncio.sleep(0)  # each task goes as far as it can: its job waits behind the first one
        release.set()
        await asyncio.gather(first, *jobs)

    asyncio.run(scenario())
    workers.close()
    assert order[:4] == ["greedy 0", "new 0", "greedy 1", "new 1"]
    assert order[4:] == [f"greedy {number}" for number in range(2, 20)]


def test_a_key_takes_half_of_the_places_and_one_of_two_adaptations() -> None:
    workers, slots = Workers(2, 6, 5.0, Metrics()), Slots(2, "adapters are being fitted", Metrics())
    with ExitStack() as stack:
        for _ in range(4):
            stack.enter_context(workers.admission("default/ada"))
        with pytest.raises(QueueFull, match="this key has"):
            workers.reject_when_full("default/ada")
        workers.reject_when_full("default/bea")
        workers.reject_when_full()
        stack.enter_context(slots.admission("default/ada"))
        with pytest.raises(QueueFull):
            slots.reject_when_full("default/ada")
        stack.enter_context(slots.admission("default/bea"))
    workers.close()


def test_what_waits_when_the_pool_closes_is_cancelled() -> None:
    workers, begun, release = Workers(1, 4, 5.0, Metrics()), threading.Event(), threading.Event()

    def run() -> None:
        begun.set()
        release.wait()

    async def scenario() -> None:
        running = asyncio.ensure_future(workers.run(run))
        await asyncio.to_thread(begun.wait)
        waiting = asyncio.ensure_future(workers.run(lambda: pytest.fail("it never has its turn"), "a"))
        closing = asyncio.ensure_future(asyncio.to_thread(workers.close))
        asyncio.get_running_loop().call_later(0.1, release.set)
        await asyncio.gather(running, closing)
        with pytest.raises(asyncio.CancelledError):
            await waiting

    asyncio.run(scenario())
