"""How many requests, and how many changes, one key or one address may send in a time.

Windows are fixed: one counter each, and an exact answer to when it begins anew. Counters are this process's own, or lie
in a Redis that several processes and hosts share. While that Redis does not answer, each process counts for itself.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from limits import RateLimitItem, parse_many
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.storage.redis.redispy import RedispyBridge
from limits.aio.strategies import FixedWindowRateLimiter
from limits.errors import StorageError

from service.access.errors import RateLimitInvalid
from service.access.networks import network_of
from service.access.principal import Principal
from service.errors import RateLimited

_log = logging.getLogger("inkseek.service")

_REDIS_TIMEOUT_S = 0.25  # a request waits this long at worst before its process counts for itself
_REDIS_PAUSE_S = 5.0


@dataclass(frozen=True, slots=True)
class Usage:
    """One window: `quota` requests in `window_s` seconds, of which `remaining` are left for `reset_s` seconds."""

    policy: str
    quota: int
    window_s: int
    remaining: int
    reset_s: int
    is_exceeded: bool


class RateLimits:
    """Counts requests. Used on the event loop alone."""

    def __init__(
        self, requests: str | None, changes: str | None, redis_url: str | None, clock: Callable[[], float] = time.time
    ) -> None:
        """`requests`, `changes`: such as `10/second; 2000/day`, for whoever has none of its own; None: unlimited.

        `redis_url`: of the Redis that holds the counters; None: this process. Nothing is opened here. `clock`: seconds
        since the epoch, as windows end. Raises RateLimitInvalid.
        """
        for text in (requests, changes):
            limit_items(text)
        self._requests, self._changes, self._clock = requests, changes, clock
        self._here = FixedWindowRateLimiter(MemoryStorage())
        self._redis = _redis(redis_url) if redis_url else None
        self._shared = FixedWindowRateLimiter(self._redis) if self._redis else None
        self._shared_from_s = -math.inf

    def concern(self, principal: Principal) -> bool:
        """Whether its requests, changes left aside, are counted."""
        return bool(limit_items(principal.rate_limit or self._requests))

    async def charge(self, principal: Principal, address: str, *, changes: bool, cost: int = 1) -> tuple[Usage, ...]:
        """Count a request that is worth `cost`, and a change if it is one; what is left afterwards, of each window."""
        limits = [("requests", item) for item in limit_items(principal.rate_limit or self._requests)]
        if changes:
            limits += [("changes", item) for item in limit_items(principal.change_limit or self._changes)]
        if not limits:
            return ()
        who = f"key:{principal.key_id}" if principal.key_id else f"address:{network_of(address)}"
        return tuple([await self._hit(policy, item, who, cost) for policy, item in limits])

    async def usage(self, principal: Principal) -> tuple[Usage, ...]:
        """What is left of each window of a key now, without counting anything."""
        limits = [("requests", item) for item in limit_items(principal.rate_limit or self._requests)]
        limits += [("changes", item) for item in limit_items(principal.change_limit or self._changes)]
        return tuple([await self._look(policy, item, f"key:{principal.key_id}") for policy, item in limits])

    async def close(self) -> None:
        """Give the connections to Redis back."""
        if self._redis is not None and isinstance(self._redis.bridge, RedispyBridge):
            await self._redis.bridge.storage.aclose()

    async def _hit(self, policy: str, item: RateLimitItem, who: str, cost: int) -> Usage:
        if self._shared is not None and self._clock() >= self._shared_from_s:
            try:
                return await self._hit_in(self._shared, policy, item, who, cost)
            except StorageError as error:
                self._leave_shared(error)
        return await self._hit_in(self._here, policy, item, who, cost)

    async def _look(self, policy: str, item: RateLimitItem, who: str) -> Usage:
        if self._shared is not None and self._clock() >= self._shared_from_s:
            try:
                return await self._usage_in(self._shared, policy, item, who)
            except StorageError as error:
                self._leave_shared(error)
        return await self._usage_in(self._here, policy, item, who)

    def _leave_shared(self, error: StorageError) -> None:
        """Once a pause, not once a request: neither the log nor the requests wait for what does not answer."""
        self._shared_from_s = self._clock() + _REDIS_PAUSE_S
        _log.warning("rate limits are counted in this process alone, Redis does not answer: %s", error)

    async def _hit_in(
        self, limiter: FixedWindowRateLimiter, policy: str, item: RateLimitItem, who: str, cost: int
    ) -> Usage:
        allowed = await limiter.hit(item, policy, who, cost=cost)
        return await self._usage_in(limiter, policy, item, who, is_exceeded=not allowed)

    async def _usage_in(
        self, limiter: FixedWindowRateLimiter, policy: str, item: RateLimitItem, who: str, *, is_exceeded: bool = False
    ) -> Usage:
        reset_at, remaining = await limiter.get_window_stats(item, policy, who)
        reset_s = max(0, math.ceil(reset_at - self._clock()))
        return Usage(policy, item.amount, item.get_expiry(), remaining, reset_s, is_exceeded)


def exceeded(usages: tuple[Usage, ...]) -> RateLimited | None:
    """The error of a request that is one too many, by the window that ends last; None for a request that is not."""
    over = [usage for usage in usages if usage.is_exceeded]
    if not over:
        return None
    last = max(over, key=lambda usage: usage.reset_s)
    return RateLimited(f"more than {last.quota} {last.policy} in {last.window_s} s", max(1, last.reset_s))


@lru_cache(maxsize=1024)
def limit_items(text: str | None) -> tuple[RateLimitItem, ...]:
    """The windows of a limit such as `10/second; 2000/day`; none for None. Raises RateLimitInvalid."""
    if text is None:
        return ()
    try:
        return tuple(parse_many(text))
    except ValueError as error:
        raise RateLimitInvalid(f"{text!r} is no limit; one is 10/second, or 10/second; 2000/day") from error


def _redis(url: str) -> RedisStorage:
    """Raises RateLimitInvalid for what is no address of a Redis."""
    if not url.startswith(("redis://", "rediss://", "unix://")):
        raise RateLimitInvalid(f"{url!r} is no address of a Redis; one is redis://localhost:6379/0")
    return RedisStorage(
        f"async+{url}" if not url.startswith("unix") else url.replace("unix", "async+redis+unix", 1),
        implementation="redispy",
        wrap_exceptions=True,
        socket_timeout=_REDIS_TIMEOUT_S,
        socket_connect_timeout=_REDIS_TIMEOUT_S,
    )
