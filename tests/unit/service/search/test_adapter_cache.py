"""Adapters made ready: made once for each key however many threads want it, and the oldest go first."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from models.adapters import StyleAdapter
from service.search.adapter_cache import AdapterCache


def adapter(number: int, dim: int = 100) -> StyleAdapter:
    """4 * dim bytes."""
    return StyleAdapter.shifting(np.full(dim, number, np.float32))


def test_one_key_is_made_once() -> None:
    cache, made = AdapterCache(), []

    def make() -> StyleAdapter:
        made.append(threading.get_ident())
        time.sleep(0.02)
        return adapter(1)

    results: list[StyleAdapter] = []
    threads = [threading.Thread(target=lambda: results.append(cache.get("a", make))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1
    assert len(results) == 8 and all(result is results[0] for result in results)


def test_keys_do_not_wait_for_each_other() -> None:
    cache, entered, leave = AdapterCache(), threading.Event(), threading.Event()

    def slow() -> StyleAdapter:
        entered.set()
        assert leave.wait(10)
        return adapter(1)

    thread = threading.Thread(target=lambda: cache.get("slow", slow))
    thread.start()
    assert entered.wait(10)
    assert cache.get("fast", lambda: adapter(2)).shift[0] == 2
    leave.set()
    thread.join()


def test_the_least_recently_used_goes_first() -> None:
    cache = AdapterCache(max_bytes=3 * 400)
    for key in "abc":
        cache.get(key, lambda: adapter(0))
    cache.get("a", lambda: pytest.fail("it is kept"))
    cache.get("d", lambda: adapter(1))  # b is the oldest now
    for key in "acd":
        cache.get(key, lambda: pytest.fail("it is kept"))
    assert cache.get("b", lambda: adapter(7)).shift[0] == 7


def test_one_that_is_larger_than_all_is_kept_alone() -> None:
    cache = AdapterCache(max_bytes=500)
    cache.get("small", lambda: adapter(0))
    cache.get("large", lambda: adapter(1, dim=1000))
    assert cache.get("large", lambda: adapter(9)).shift.shape == (1000,)
    assert cache.get("small", lambda: adapter(5)).shift[0] == 5


def test_what_could_not_be_made_is_tried_again() -> None:
    cache = AdapterCache()

    def fail() -> StyleAdapter:
        raise ValueError("no numbers")

    with pytest.raises(ValueError, match="no numbers"):
        cache.get("a", fail)
    assert cache.get("a", lambda: adapter(3)).shift[0] == 3
