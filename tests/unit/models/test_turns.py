"""Turns of threads at the interpreter: one behind the other, and nobody waits for ever."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from models.turns import Turns


def _most_within(turns: Turns, threads: int, stay: Callable[[], object]) -> int:
    """How many of the threads were within at one time."""
    lock, within, most = threading.Lock(), 0, 0

    def enter(_: int) -> None:
        nonlocal within, most
        with turns:
            with lock:
                within += 1
                most = max(most, within)
            stay()
            with lock:
                within -= 1

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(enter, range(3 * threads)))
    return most


def test_as_many_at_once_as_there_are_turns() -> None:
    for at_once in (1, 2):
        assert _most_within(Turns(at_once, patience_s=60), 4, lambda: time.sleep(0.005)) == at_once


def test_who_has_waited_for_long_gets_through() -> None:
    together = threading.Barrier(3, timeout=60)  # each waits within until all are within
    assert _most_within(Turns(1, patience_s=0.001), 3, together.wait) == 3


def test_a_turn_is_given_back_after_an_error_and_only_by_who_had_it() -> None:
    turns = Turns(1, patience_s=0.001)
    with pytest.raises(ValueError, match="within"), turns:
        raise ValueError("within")
    with turns, ThreadPoolExecutor(1) as pool:

        def through_without_a_turn() -> None:
            with turns:
                pass

        pool.submit(through_without_a_turn).result()
        assert not turns._free.acquire(blocking=False)
    assert turns._free.acquire(blocking=False)
