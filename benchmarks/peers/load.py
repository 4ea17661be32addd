"""A load generator: clients that each keep one connection, closed loop or at a rate. Raw HTTP/1.1 over asyncio.

About 0.1 ms of CPU per request, on the same machine as the server, the same for every server.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field

_BOUNDARY = b"peers"
_CONNECTIONS = 200  # at a rate: more requests than that are not in flight


@dataclass
class Outcome:
    """Answers by status, and milliseconds of those with status 200; at a rate, from when each was due."""

    statuses: Counter[int] = field(default_factory=Counter)
    ok_ms: list[float] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def ok_per_s(self) -> float:
        """Goodput."""
        return self.statuses[200] / self.seconds

    def percentile(self, share: float) -> float:
        """Milliseconds that this share of the good answers took at most."""
        ordered = sorted(self.ok_ms)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


def form_request(path: str, image: bytes) -> bytes:
    """A whole POST of a form with the field `sketch`."""
    body = b'--%b\r\nContent-Disposition: form-data; name="sketch"; filename="sketch.png"\r\n' % _BOUNDARY
    body += b"Content-Type: image/png\r\n\r\n" + image + b"\r\n--%b--\r\n" % _BOUNDARY
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: multipart/form-data; boundary={_BOUNDARY.decode()}"
    )
    return f"{head}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


async def closed_loop(port: int, request: bytes, clients: int, seconds: float) -> Outcome:
    """Each client sends its next request when the last one is answered."""
    outcome, end, started = Outcome(), time.perf_counter() + seconds, time.perf_counter()

    async def client() -> None:
        connection = _Connection(port)
        while (sent := time.perf_counter()) < end:
            status = await connection.ask(request)
            outcome.statuses[status] += 1
            if status == 200:
                outcome.ok_ms.append((time.perf_counter() - sent) * 1000)
        connection.close()

    await asyncio.gather(*(client() for _ in range(clients)))
    outcome.seconds = time.perf_counter() - started
    return outcome


async def at_rate(port: int, request: bytes, per_s: float, seconds: float) -> Outcome:
    """Requests at even distances, whether or not the last ones are answered; latency counts from when one was due."""
    outcome, started = Outcome(), time.perf_counter()
    idle = [_Connection(port) for _ in range(_CONNECTIONS)]
    pending: set[asyncio.Task[None]] = set()

    async def ask(due: float) -> None:
        connection = idle.pop()
        status = await connection.ask(request)
        idle.append(connection)
        outcome.statuses[status] += 1
        if status == 200:
            outcome.ok_ms.append((time.perf_counter() - due) * 1000)

    for number in range(int(per_s * seconds)):
        due = started + number / per_s
        if (wait := due - time.perf_counter()) > 0:
            await asyncio.sleep(wait)
        elif number % 32 == 0:
            await asyncio.sleep(0)
        if time.perf_counter() > started + seconds:
            break
        if idle:
            task = asyncio.create_task(ask(due))
            pending.add(task)
            task.add_done_callback(pending.discard)
        else:
            outcome.statuses[0] += 1  # every connection waits for an answer: one that was never sent
            await asyncio.sleep(0)
    await asyncio.gather(*pending)
    outcome.seconds = time.perf_counter() - started
    for connection in idle:
        connection.close()
    return outcome


class _Connection:
    """One keep-alive connection, opened when it is first used and again when the server closed it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, request: bytes) -> int:
        """The status of the answer; 0 when the connection broke."""
        try:
            if self._streams is None:
                self._streams = await asyncio.open_connection("127.0.0.1", self._port)
            reader, writer = self._streams
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
            await reader.readexactly(int(length))
            if b"connection: close" in head.lower():
                self.close()
            return int(head[9:12])
        except (OSError, asyncio.IncompleteReadError, ValueError):
            self.close()
            return 0

    def close(self) -> None:
        """Close it; the next request opens another."""
        if self._streams is not None:
            self._streams[1].close()
        self._streams = None
