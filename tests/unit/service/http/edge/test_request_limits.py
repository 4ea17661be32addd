"""Request bodies: their bytes, the bytes of all together, and the time that they may take."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from service.errors import BodiesTooLarge, BodyTimeout, BodyTooLarge
from service.http.edge.request_body import BodyLimits, RequestBody

LIMITS = BodyLimits(10, {"/adapters": 20}, together_bytes=1_000, silence_s=0.05, whole_s=0.2)
KIB = 1024


def request(path: str = "/v1/search", length: object = None) -> Scope:
    header = (b"content-length", str(length).encode()) if length is not None else (b"transfer-encoding", b"chunked")
    return {"type": "http", "method": "POST", "path": path, "headers": [header]}


async def read(receive: Receive) -> int:
    length, more = 0, True
    while more:
        message = await receive()
        length += len(message["body"])
        more = message["more_body"]
    return length


async def answer(scope: Scope, receive: Receive, send: Send) -> None:
    """Reads the whole body and answers its length."""
    length = await read(receive)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(length).encode()})


class Client:
    """Sends chunks, some seconds apart, and keeps what it is answered."""

    def __init__(self, *chunks: bytes, every_s: float = 0.0) -> None:
        self.answered: list[Message] = []
        self.left = list(chunks)
        self._every_s = every_s

    async def receive(self) -> Message:
        if not self.left:
            await asyncio.sleep(60)
        await asyncio.sleep(self._every_s)
        return {"type": "http.request", "body": self.left.pop(0), "more_body": bool(self.left)}

    async def send(self, message: Message) -> None:
        self.answered.append(message)


def sent(scope: Scope, client: Client, limits: BodyLimits = LIMITS) -> list[Message]:
    asyncio.run(RequestBody(answer, limits)(scope, client.receive, client.send))
    return client.answered


@pytest.mark.parametrize(
    ("path", "size", "status"),
    [("/v1/search", 10, 200), ("/v1/search", 11, 413), ("/v1/categories/a/adapters", 20, 200),
     ("/v1/categories/a/adapters", 21, 413), ("/v1/adapters/search", 11, 413)],
)  # fmt: skip
def test_an_announced_length_is_believed_when_it_is_too_large(path: str, size: int, status: int) -> None:
    client = Client(bytes(size))
    first, *rest = sent(request(path, size), client)
    assert first["status"] == status
    if status == 413:
        assert json.loads(rest[0]["body"])["code"] == "body_too_large"
        assert (b"connection", b"close") in first["headers"]
        assert client.left  # nothing of it was read


def test_what_arrives_is_counted_whatever_was_announced() -> None:
    assert sent(request(), Client(b"12345", b"67890"))[1]["body"] == b"10"
    for length in (None, 3, -5):
        with pytest.raises(BodyTooLarge, match="at most 10 are accepted"):
            sent(request(length=length), Client(b"12345", b"678901", b"never read"))


def test_a_request_without_a_body_passes() -> None:
    seen: list[Receive] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(receive)

    client = Client()
    for headers in ([], [(b"content-length", b"0")]):
        scope = {"type": "http", "method": "GET", "path": "/", "headers": headers}
        asyncio.run(RequestBody(app, LIMITS)(scope, client.receive, client.send))
    assert seen == [client.receive] * 2


def test_silence_ends_a_body_and_so_do_endless_drops() -> None:
    with pytest.raises(BodyTimeout, match=r"no byte of it came for 0\.05 s"):
        sent(request(length=9), Client(b"1", b"2", every_s=0.1))
    drops = Client(*[b"1"] * 9, every_s=0.03)
    with pytest.raises(BodyTimeout, match="too long as a whole"):
        sent(request(length=9), drops, replace(LIMITS, silence_s=30.0, whole_s=0.1))


def holding(shared: RequestBody, size: int, release: asyncio.Event, scope: Scope) -> tuple[Client, Any]:
    """A request whose body is in memory until `release`."""
    client = Client(bytes(size // 2), bytes(size - size // 2))
    return client, asyncio.ensure_future(shared(scope, client.receive, client.send))


async def until_sent(requests: list[tuple[Client, Any]]) -> None:
    while any(client.left for client, _ in requests):
        await asyncio.sleep(0)


@pytest.mark.parametrize("announced", [True, False])
def test_bodies_together_are_bounded_and_small_ones_always_pass(announced: bool) -> None:
    limits = BodyLimits(500 * KIB, together_bytes=1_000 * KIB)

    async def scenario() -> None:
        release = asyncio.Event()

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            length = await read(receive)
            await release.wait()
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": str(length).encode()})

        def begin(size: int) -> tuple[Client, Any]:
            return holding(shared, size, release, request(length=size if announced else None))

        async def is_rejected(size: int) -> None:
            client, task = begin(size)
            if announced:
                await task
                assert client.answered[0]["status"] == 429
                assert json.loads(client.answered[1]["body"])["code"] == "bodies_too_large"
                assert dict(client.answered[0]["headers"])[b"retry-after"]
            else:
                with pytest.raises(BodiesTooLarge):
                    await task

        shared = RequestBody(app, limits)
        held = [begin(400 * KIB) for _ in range(2)]
        await until_sent(held)
        await is_rejected(300 * KIB)
        small = [begin(60 * KIB) for _ in range(20)]
        await until_sent(small)
        release.set()
        for client, task in (*held, *small):
            await task
            assert client.answered[0]["status"] == 200
        # What was held is given back, also that of the rejected one.
        again = [begin(400 * KIB) for _ in range(2)]
        for client, task in again:
            await task
            assert client.answered[0]["status"] == 200

    asyncio.run(scenario())
