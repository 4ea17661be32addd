"""Waiting for what another process or thread does: for a condition, with a deadline that a busy machine keeps."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

DEADLINE_S = 60.0


def until(condition: Callable[[], bool], what: Callable[[], object] = lambda: "it did not happen in time") -> None:
    """Look again until `condition` holds; `what` says what there is instead."""
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, what()
        time.sleep(0.05)


async def until_async(condition: Callable[[], bool]) -> None:
    """As `until`, while the event loop goes on."""
    async with asyncio.timeout(DEADLINE_S):
        while not condition():
            await asyncio.sleep(0.02)
