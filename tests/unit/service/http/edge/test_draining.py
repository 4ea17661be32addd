"""Lingering close: a body that nobody read is drained behind the answer, within bounds."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.http.edge.draining import Draining, DrainLimits


def request(*headers: tuple[bytes, bytes]) -> Scope:
    return {"type": "http", "method": "POST", "path": "/v1/search", "headers": list(headers)}


CHUNKED = request((b"transfer-encoding", b"chunked"))


async def answer(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers without reading anything."""
    await send({"type": "http.response.start", "status": 401, "headers": []})
    await send({"type": "http.response.body", "body": b"a", "more_body": True})
    await send({"type": "http.response.body", "body": b"b"})


class Client:
    """Sends chunks and notes in which order they are read and answered."""

    def __init__(self, chunks: int, last: bool = True, every_s: float = 0.0) -> None:
        self.happened: list[Any] = []
        self._left = chunks
        self._last = last
        self._every_s = every_s

    async def receive(self) -> Message:
        if not self._left:
            await asyncio.sleep(60)
        await asyncio.sleep(self._every_s)
        self._left -= 1
        self.happened.append("read")
        return {"type": "http.request", "body": b"12345", "more_body": bool(self._left) or not self._last}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.body":
            self.happened.append((message["body"], message.get("more_body", False)))


def happened(client: Client, scope: Scope = CHUNKED, app: ASGIApp = answer, **limits: Any) -> list[Any]:
    asyncio.run(Draining(app, DrainLimits(**limits))(scope, client.receive, client.send))
    return client.happened


def test_the_answer_is_out_before_the_rest_is_read_and_ends_behind_it() -> None:
    assert happened(Client(3)) == [(b"a", True), (b"b", True), "read", "read", "read", (b"", False)]


@pytest.mark.parametrize(
    ("client", "limits", "reads"),
    [
        (Client(100), {"most_bytes": 12}, 3),  # endless: by bytes
        (Client(2, last=False), {"silence_s": 0.05}, 2),  # silent
        (Client(100, every_s=0.02), {"silence_s": 1.0, "whole_s": 0.1}, None),  # dripping: by the whole time
    ],
)
def test_draining_ends(client: Client, limits: dict[str, Any], reads: int | None) -> None:
    seen = happened(client, **limits)
    assert seen[-1] == (b"", False)
    assert seen.count("read") == reads if reads else 0 < seen.count("read") < 20


def test_a_client_that_hangs_up_ends_it() -> None:
    client = Client(0)

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    asyncio.run(Draining(answer)(CHUNKED, receive, client.send))
    assert client.happened[-1] == (b"", False)


def test_nothing_is_withheld_from_those_whose_body_was_read_or_have_none() -> None:
    async def reading(scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive()).get("more_body"):
            pass
        await answer(scope, receive, send)

    assert happened(Client(2), app=reading) == ["read", "read", (b"a", True), (b"b", False)]
    for headers in ([], [(b"content-length", b"0")]):
        assert happened(Client(0), request(*headers)) == [(b"a", True), (b"b", False)]
