"""A 429 that the connection gives is the one that the service gives, with another id, and only where it would."""

from __future__ import annotations

import asyncio
import functools
import json
import re
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import httpx
import pytest

from service.app import create_app
from service.config import Settings
from service.http.edge.refusals import Paused, Refusals
from tests.contract.waiting import until_async

LENGTH = (b"content-length", b"20")
PLAIN = [(b"host", b"localhost"), (b"content-type", b"image/png"), LENGTH]


def test_the_connection_says_what_the_service_says(make_settings: Callable[..., Settings], cross: bytes) -> None:
    app = create_app(make_settings(threads=1, queue_size=0))
    refusals: Refusals = app.state.refusals

    async def scenario() -> None:
        transport = httpx.ASGITransport(app)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://t") as client,
        ):
            workers = app.state.process.workers
            assert refusals.answer(b"POST", b"/v1/search", PLAIN) is None
            with workers.admission():
                assert not workers.free
                assert refusals.answer(b"POST", b"/v1/search", PLAIN) is None  # nothing is known of it yet
                first = await client.post("/v1/search", content=cross)
                assert first.status_code == 429
                again = await client.post("/v1/search", content=cross)
                kept = refusals.answer(b"POST", b"/v1/search?k=3", PLAIN)
                assert kept is not None
                head, body = kept.split(b"\r\n\r\n", 1)
                lines = [line.split(b": ", 1) for line in head.split(b"\r\n")]
                names = [name for name, _ in lines]
                assert names == [name.lower() for name, _ in again.headers.raw]
                said, document = {name: value.decode() for name, value in lines}, json.loads(body)
                assert int(said[b"content-length"]) == len(body) == len(again.content)
                assert document.pop("request_id") == said.pop(b"x-request-id")
                expected = {name.lower(): value.decode() for name, value in again.headers.raw}
                other = again.json()
                assert other.pop("request_id") == expected.pop(b"x-request-id")
                assert (said, document) == (expected, other)
                ids = {refusals.answer(b"POST", b"/v1/search", PLAIN) for _ in range(50)}
                assert len(ids) == 50 and None not in ids
            assert refusals.answer(b"POST", b"/v1/search", PLAIN) is None  # there is a place again
            assert (await client.post("/v1/search", content=cross)).status_code == 200
            text = (await client.get("/metrics")).text
            assert 'inkseek_requests_total{method="POST",route="/v1/search",status="429"} 53.0' in text
            assert 'inkseek_rejected_total{reason="queue_full"} 53.0' in text

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("method", "target", "headers"),
    [
        (b"GET", b"/v1/search", PLAIN),
        (b"POST", b"/v1/preview", PLAIN),  # nothing was kept for it
        (b"POST", b"/v1/categories/box/adapters", PLAIN),
        (b"POST", b"/v1/search", [*PLAIN, (b"origin", b"https://a.example")]),  # its answer has more headers
        (b"POST", b"/v1/search", [*PLAIN, (b"x-request-id", b"mine")]),
        (b"POST", b"/v1/search", [*PLAIN, (b"expect", b"100-continue")]),
        (b"POST", b"/v1/search", [PLAIN[0], (b"transfer-encoding", b"chunked")]),
        (b"POST", b"/v1/search", [PLAIN[0], (b"content-length", b"65537")]),
        (b"POST", b"/v1/search", [PLAIN[0]]),
    ],
)
def test_what_may_be_answered_otherwise_goes_to_the_service(
    make_settings: Callable[..., Settings], method: bytes, target: bytes, headers: list[tuple[bytes, bytes]]
) -> None:
    refusals: Refusals = create_app(make_settings()).state.refusals

    class Full:
        free = 0

        def count_rejected(self) -> None:
            """Not of interest here."""

    refusals.places = Full()
    refusals.keep(b"/v1/search", "/v1/search", [(b"x-request-id", b"0123")], b'{"request_id": "0123"}')
    assert refusals.answer(b"POST", b"/v1/search", PLAIN) is not None
    assert refusals.answer(method, target, headers) is None


def test_heads_that_are_read_in_one_turn_of_the_loop_count_before_they_take_places(
    make_settings: Callable[..., Settings],
) -> None:
    refusals: Refusals = create_app(make_settings()).state.refusals

    class Places:
        free = 2

        def count_rejected(self) -> None:
            """Not of interest here."""

    refusals.places = places = Places()
    refusals.keep(b"/v1/search", "/v1/search", [(b"x-request-id", b"0123")], b'{"request_id": "0123"}')

    def is_refused() -> bool:
        return refusals.answer(b"POST", b"/v1/search", PLAIN) is not None

    assert [is_refused() for _ in range(4)] == [False, False, True, True]
    refusals.arrived()
    places.free = 1
    assert is_refused()  # the other one is still on its way
    refusals.arrived()
    places.free = 1
    assert [is_refused() for _ in range(2)] == [False, True]


class Connection:
    """One that notes whether it is read."""

    def __init__(self) -> None:
        self.is_read, self.is_open = True, True
        self.transport: Any = self
        self.flow: Any = self
        self.ours, self.theirs = socket.socketpair()

    def get_extra_info(self, name: str) -> socket.socket:
        assert name == "socket"
        return self.ours

    def is_closing(self) -> bool:
        return not self.is_open

    def pause_reading(self) -> None:
        assert self.is_open
        self.is_read = False

    def resume_reading(self) -> None:
        assert self.is_open
        self.is_read = True


@pytest.fixture
def connections() -> Iterator[list[Connection]]:
    made = [Connection() for _ in range(4)]
    yield list(made)
    for connection in made:
        connection.ours.close()
        connection.theirs.close()


def test_a_place_goes_to_whoever_sent_first_of_those_that_were_refused(connections: list[Connection]) -> None:
    async def scenario() -> None:
        free = 0
        paused = Paused(lambda: free, pause_s=600)
        first, second, third, fourth = connections

        async def read_after_an_answer() -> list[bool]:
            for _ in range(3):  # answers that leave in the same turn of the loop are one
                paused.take_turns()
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            return [connection.is_read for connection in connections]

        for connection in connections:
            paused.add(connection)
            paused.add(connection)
        for connection in (third, second, fourth):
            connection.theirs.send(b"POST")
        assert await read_after_an_answer() == [False, False, False, False]
        free = 1
        assert await read_after_an_answer() == [False, False, True, False]
        second.is_open = False
        paused.drop(second)
        free = 2
        assert await read_after_an_answer() == [False, False, True, True]
        first.theirs.send(b"POST")  # a place has been kept
        await until_async(lambda: first.is_read)
        assert await read_after_an_answer() == [True, False, True, True]  # nobody is left
        paused.add(first)
        await asyncio.sleep(0.02)
        assert not first.is_read  # until an answer leaves: nobody has said that there is a place
        assert (await read_after_an_answer())[0]

    asyncio.run(scenario())


def test_whoever_sends_when_no_place_is_left_stays_unread(connections: list[Connection]) -> None:
    async def scenario() -> None:
        free = 1
        paused = Paused(lambda: free, pause_s=600)
        for connection in connections:
            paused.add(connection)
        paused.take_turns()
        await asyncio.sleep(0.01)
        free = 0  # somebody else came
        connections[0].theirs.send(b"POST")
        await asyncio.sleep(0.02)
        assert not connections[0].is_read
        free = 1
        paused.take_turns()
        await until_async(lambda: connections[0].is_read)

    asyncio.run(scenario())


def test_whoever_hangs_up_is_read_at_once(connections: list[Connection]) -> None:
    async def scenario() -> None:
        paused = Paused(lambda: 0, pause_s=600)
        for gone, stays in (connections[:2], connections[2:]):  # once nobody was left, it is noticed as well
            paused.add(gone)
            paused.add(stays)
            for connection in (gone, stays):
                connection.theirs.send(b"POST")
            gone.theirs.shutdown(socket.SHUT_WR)
            await until_async(functools.partial(getattr, gone, "is_read"))
            assert not stays.is_read
            stays.theirs.close()
            await until_async(functools.partial(getattr, stays, "is_read"))

    asyncio.run(scenario())


def test_whoever_was_refused_is_read_again_after_a_while(connections: list[Connection]) -> None:
    async def scenario() -> None:
        paused = Paused(lambda: 0, pause_s=0.01)
        kept, closed, *_ = connections
        for connection in (kept, closed):
            paused.add(connection)
        closed.is_open = False  # and it is not told of
        await until_async(lambda: kept.is_read)
        paused.add(kept)
        assert not kept.is_read
        await until_async(lambda: kept.is_read)
        assert not closed.is_read

    asyncio.run(scenario())


def test_a_flood_is_answered_at_once_where_it_can_be(serve: Any, raw_post: Callable[..., bytes], cross: bytes) -> None:
    """Connections that are refused, and ask again without a pause, get their answers all the same."""
    request = raw_post("/v1/search", cross)
    with serve(INKSEEK_THREADS="1", INKSEEK_QUEUE_SIZE="1") as served, ExitStack() as stack:
        connections = [stack.enter_context(served.connect(timeout_s=60)) for _ in range(8)]
        statuses = []
        for _ in range(6):
            for connection in connections:
                connection.sendall(request)
            statuses += [answer_on(connection) for connection in connections]
        assert set(statuses) == {200, 429} and len(statuses) == 48


def answer_on(connection: socket.socket) -> int:
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(1)
    found = re.search(rb"content-length: (\d+)", data)
    assert found
    left = int(found[1])
    while left:
        left -= len(connection.recv(left))
    return int(data.split()[1])


def test_in_a_flood_each_answer_is_whole_and_counted(serve: Any, cross: bytes) -> None:
    seen: list[httpx.Response] = []
    lock = threading.Lock()

    with serve(INKSEEK_THREADS="1", INKSEEK_QUEUE_SIZE="1") as served:

        def client(_: int) -> None:
            with httpx.Client(base_url=served.url, timeout=60) as connection:
                for _ in range(25):
                    answer = connection.post("/v1/search", content=cross)
                    with lock:
                        seen.append(answer)

        with ThreadPoolExecutor(12) as pool:
            list(pool.map(client, range(12)))
        assert len(seen) == 300 and {answer.status_code for answer in seen} == {200, 429}
        rejected = [answer for answer in seen if answer.status_code == 429]
        assert len({answer.headers["x-request-id"] for answer in seen}) == 300
        assert len({tuple(sorted(answer.headers)) for answer in rejected}) == 1
        for answer in rejected:
            assert answer.json()["code"] == "queue_full"
            assert answer.json()["request_id"] == answer.headers["x-request-id"]
        text = httpx.get(served.url + "/metrics", timeout=60).text
        counted = f'inkseek_requests_total{{method="POST",route="/v1/search",status="429"}} {len(rejected)}.0'
        assert counted in text
