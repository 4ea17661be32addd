"""HTTP load from one event loop: a paced stream of requests over kept connections, timed from when each was due."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


@dataclass
class Answered:
    """Milliseconds from when a request was due to its answer, and answers by status."""

    milliseconds: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)

    def add(self, milliseconds: float, status: int) -> None:
        self.milliseconds.append(milliseconds)
        self.statuses[status] = self.statuses.get(status, 0) + 1


class Connections:
    """Connections to one service, as many as are in use at once; a request takes one that is free."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._free: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def send(self, request: bytes) -> tuple[int, bytes]:
        """Status and body of the answer."""
        head = b""
        while not head:
            kept = bool(self._free)
            reader, writer = self._free.pop() if kept else await asyncio.open_connection("127.0.0.1", self._port)
            writer.write(request)
            try:
                head = await reader.readuntil(b"\r\n\r\n")
            except (asyncio.IncompleteReadError, ConnectionError):
                if not kept:  # one that was idle for long may have been closed, and nothing was begun
                    raise
        length = _LENGTH.search(head)
        body = await reader.readexactly(int(length[1]) if length else 0)
        self._free.append((reader, writer))
        return int(head[9:12]), body

    def close(self) -> None:
        for _, writer in self._free:
            writer.close()


def search(drawing: bytes) -> bytes:
    return _request("POST", "/v1/search?k=10&mirror=false&frame=false", drawing)


def upload(photo_id: str, image: bytes) -> bytes:
    return _request("PUT", f"/v1/photos/{quote(photo_id)}", image)


def look_up(photo_id: str) -> bytes:
    return _request("GET", f"/v1/photos/{quote(photo_id)}", b"")


def ids_of(body: bytes) -> list[str]:
    answer: dict[str, Any] = json.loads(body)
    return [photo["photo_id"] for photo in answer["results"]]


async def paced(
    per_s: float, seconds: float, send: Callable[[int], Awaitable[int]], most_at_once: int = 64
) -> Answered:
    """Call `send` with 0, 1, 2 … at that rate; it returns the status. Beyond `most_at_once` the stream waits."""
    answered, running = Answered(), set[asyncio.Task[None]]()
    begin = time.perf_counter()

    async def one(number: int, due: float) -> None:
        status = await send(number)
        answered.add((time.perf_counter() - due) * 1000, status)

    number = 0
    while (due := begin + number / per_s) < begin + seconds:
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        if time.perf_counter() > begin + seconds:
            break  # what could not be sent in time is missing from the rate
        while len(running) >= most_at_once:
            await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        task = asyncio.create_task(one(number, due))
        running.add(task)
        task.add_done_callback(running.discard)
        number += 1
    if running:
        await asyncio.wait(running)
    return answered


async def saturated(clients: int, seconds: float, send: Callable[[int], Awaitable[int]]) -> float:
    """Answers a second that so many clients get which never pause."""
    stop, count = time.perf_counter() + seconds, 0

    async def client(number: int) -> None:
        nonlocal count
        while time.perf_counter() < stop:
            status = await send(number)
            count += status == 200  # read after the wait: other clients have counted meanwhile
            number += clients

    await asyncio.gather(*(client(number) for number in range(clients)))
    return count / seconds


def _request(method: str, path: str, body: bytes) -> bytes:
    head = f"{method} {path} HTTP/1.1\r\nhost: bench\r\ncontent-type: image/png\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body
