"""More than it can take: rejected at once and politely, and the rest is answered."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from service.access.key_file import add_key
from service.access.keys import make_key
from service.app import create_app
from service.config import Settings
from service.runtime.process import Process
from tests.contract.raw_scopes import search_scope

MakeSettings = Callable[..., Settings]


@asynccontextmanager
async def running(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url="http://t") as client:
        yield client


@asynccontextmanager
async def all_threads_busy(process: Process) -> AsyncIterator[None]:
    """Every worker thread waits inside."""
    release = threading.Event()
    entered = threading.Semaphore(0)

    def wait() -> None:
        entered.release()
        release.wait()

    busy = [asyncio.ensure_future(process.workers.run(wait)) for _ in range(process.workers.threads)]
    for _ in busy:
        assert await asyncio.to_thread(entered.acquire, timeout=60)
    try:
        yield
    finally:
        release.set()
        await asyncio.gather(*busy)


def sample(text: str, name: str) -> float:
    return next(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(name))


async def until_queued(client: httpx.AsyncClient, count: int) -> None:
    async with asyncio.timeout(60):
        while sample((await client.get("/metrics")).text, "inkseek_queue ") != count:
            await asyncio.sleep(0.02)


def test_a_full_queue_rejects_and_recovers(make_settings: MakeSettings, cross: bytes) -> None:
    app = create_app(make_settings(threads=2, queue_size=3))

    async def scenario() -> None:
        async with running(app) as client:
            async with all_threads_busy(app.state.process):
                waiting = [asyncio.ensure_future(client.post("/v1/search", content=cross)) for _ in range(5)]
                await until_queued(client, 5)
                for path in ("/v1/search", "/v1/preview", "/v1/search:batch"):
                    rejected = await client.post(path, content=cross)
                    assert (rejected.status_code, rejected.json()["code"]) == (429, "queue_full")
                    assert int(rejected.headers["retry-after"]) >= 1
                assert (await client.get("/v1/photos/box/1.png/similar")).status_code == 429
                # What needs no thread goes on.
                assert (await client.get("/v1/photos/box/1.png/thumbnail")).status_code == 200
                text = (await client.get("/metrics")).text
                assert sample(text, "inkseek_queue ") == 5
                assert sample(text, 'inkseek_rejected_total{reason="queue_full"}') == 4
                turned_away = 'inkseek_requests_total{method="POST",route="/v1/preview",status="429"}'
                assert sample(text, turned_away) == 1
            assert [response.status_code for response in await asyncio.gather(*waiting)] == [200] * 5
            assert (await client.post("/v1/search", content=cross)).status_code == 200

    asyncio.run(scenario())


def test_one_key_leaves_places_for_others(make_settings: MakeSettings, cross: bytes, tmp_path: Path) -> None:
    settings = make_settings(threads=1, queue_size=3, online_dir=tmp_path)
    keys = [make_key(name, ("search",)) for name in ("ada", "bea")]
    for new in keys:
        add_key(settings.key_path, new.key)
    greedy, other = ({"x-api-key": new.token} for new in keys)
    app = create_app(settings)

    async def scenario() -> None:
        async with running(app) as client:

            def search(headers: dict[str, str]) -> asyncio.Future[httpx.Response]:
                return asyncio.ensure_future(client.post("/v1/search", content=cross, headers=headers))

            async with all_threads_busy(app.state.process):
                waiting = [search(greedy), search(greedy)]
                # Half of the four places: who has those already is turned away, who has none is not.
                response = await search(greedy)
                assert response.status_code == 429
                assert response.json()["code"] == "queue_full" and "this key" in response.json()["detail"]
                waiting.append(search(other))
                await asyncio.sleep(0.1)
                assert not any(request.done() for request in waiting)
            assert [response.status_code for response in await asyncio.gather(*waiting)] == [200] * 3

    asyncio.run(scenario())


def test_a_late_answer_is_given_up(make_settings: MakeSettings, cross: bytes) -> None:
    app = create_app(make_settings(threads=1, request_timeout_s=2.0))

    async def scenario() -> None:
        async with running(app) as client:
            async with all_threads_busy(app.state.process):
                late = await client.post("/v1/search", content=cross)
                assert (late.status_code, late.json()["code"]) == (503, "deadline_exceeded")
                assert late.headers["retry-after"] == "1"
            assert (await client.post("/v1/search", content=cross)).status_code == 200
            text = (await client.get("/metrics")).text
            assert sample(text, "inkseek_queue ") == 0

    asyncio.run(scenario())


def test_work_for_a_client_that_left_is_dropped(make_settings: MakeSettings, cross: bytes) -> None:
    app = create_app(make_settings(threads=1))

    async def scenario() -> None:
        async with running(app) as client:
            searches = 'inkseek_stage_seconds_count{stage="encode"}'
            async with all_threads_busy(app.state.process):
                left = asyncio.Event()
                request = asyncio.ensure_future(_raw_search(app, cross, left))
                await until_queued(client, 1)
                left.set()
                await request
                assert sample((await client.get("/metrics")).text, "inkseek_queue ") == 0
            text = (await client.get("/metrics")).text
            assert sample(text, searches) == 0
            assert sample(text, 'inkseek_requests_total{method="POST",route="/v1/search",status="499"}') == 1

    asyncio.run(scenario())


def test_many_at_once_get_their_own_answers(make_settings: MakeSettings, drawing: Any, encoded: Any) -> None:
    app = create_app(make_settings(threads=2, queue_size=64))
    photos = [(category, number) for category in ("box", "cross", "wave form") for number in range(5)]

    async def scenario() -> None:
        async with running(app) as client:
            bodies = [encoded(drawing(*photo)) for photo in photos] * 4
            responses = await asyncio.gather(*(client.post("/v1/search?k=1", content=body) for body in bodies))
            found = [response.json()["results"][0]["photo_id"] for response in responses]
            assert found == [f"{category}/{number}.png" for category, number in photos] * 4

    asyncio.run(scenario())


async def _raw_search(app: FastAPI, body: bytes, left: asyncio.Event) -> None:
    """One request whose client closes the connection once `left` is set."""
    messages = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> dict[str, Any]:
        if messages:
            return messages.pop()
        await left.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        pass

    await app(search_scope([]), receive, send)
