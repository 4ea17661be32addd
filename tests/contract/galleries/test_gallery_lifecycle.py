"""Each gallery opens, closes, changes and fails alone."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from starlette.testclient import TestClient

from index_builder.artifact.layout import current_version
from index_builder.build import BuildRequest, build_index
from service.app import create_app
from service.config import Settings
from service.errors import GalleryUnavailable
from service.runtime.galleries.open_gallery import memory_of
from tests.contract.galleries.asking import running
from tests.contract.waiting import until_async

Drawing = Callable[[str, int], Image.Image]
Encode = Callable[..., bytes]
MakeSettings = Callable[..., Settings]
Form = Callable[..., list[tuple[str, Any]]]


def test_two_first_requests_open_a_gallery_once(settings: Callable[..., Settings], cross: bytes) -> None:
    app = create_app(settings())

    async def scenario() -> None:
        async with running(app) as client:
            answers = await asyncio.gather(
                *(client.post("/v1/galleries/shoes/search", content=cross) for _ in range(8))
            )
            assert {answer.status_code for answer in answers} == {200}
            metrics = (await client.get("/metrics")).text
            assert 'inkseek_gallery_opened_total{gallery="shoes"} 1.0' in metrics
            assert 'inkseek_gallery_requests_total{gallery="shoes",status="200"} 8.0' in metrics
            assert 'inkseek_gallery_photos{gallery="shoes"} 4.0' in metrics
            ready = (await client.get("/readyz")).json()
            assert (ready["galleries_open"], ready["galleries_failed"]) == (2, 0)
            assert ready["galleries_memory_bytes"] > 4 * 192 * 4

    asyncio.run(scenario())


def test_the_least_recently_used_gallery_makes_room_and_searches_go_on(
    settings: Callable[..., Settings], galleries_dir: Path, cross: bytes
) -> None:
    folder = galleries_dir / "chairs"
    chairs = memory_of(settings().model_copy(update={"index": folder}), current_version(folder))
    app = create_app(settings(galleries_memory_bytes=chairs + 1))  # either of them, not both

    async def scenario() -> None:
        async with running(app) as client:
            galleries = app.state.process.galleries
            async with galleries.lease("chairs") as held:
                waiting = asyncio.ensure_future(client.post("/v1/galleries/shoes/search", content=cross))
                await until_async(lambda: galleries.find_open("chairs") is None)  # given up for the other one …
                await asyncio.sleep(0.1)
                assert not waiting.done()
                with held.serving.borrow() as retriever:  # … and still whole for the request that has it
                    assert retriever.gallery().view.photo("box/1.png").category == "box"
            assert (await waiting).status_code == 200
            with pytest.raises(GalleryUnavailable), held.serving.borrow():
                pass

            # Both in turn and at the same time: every answer is right, and memory stays within the budget.
            async def ask(name: str) -> None:
                for _ in range(4):
                    answer = await client.post(f"/v1/galleries/{name}/search?k=1", content=cross)
                    assert answer.status_code == 200, answer.text
                    assert answer.json()["results"][0]["photo_id"].startswith("tall" if name == "shoes" else "cross")
                    assert galleries.memory_bytes <= chairs + 1

            await asyncio.gather(ask("shoes"), ask("chairs"), ask("shoes"))

    asyncio.run(scenario())


def test_a_gallery_larger_than_the_budget_says_so(settings: Callable[..., Settings], cross: bytes) -> None:
    with TestClient(create_app(settings(galleries_memory_bytes=100))) as client:
        response = client.post("/v1/galleries/shoes/search", content=cross)
        assert (response.status_code, response.json()["code"]) == (503, "gallery_unavailable")
        assert "INKSEEK_GALLERIES_MEMORY_BYTES" in response.json()["detail"]
        assert client.post("/v1/search", content=cross).status_code == 200


def test_a_broken_gallery_hurts_no_other_and_comes_back(
    settings: Callable[..., Settings], galleries_dir: Path, cross: bytes, tiny_bundle_dir: Path
) -> None:
    vectors = next((galleries_dir / "shoes").glob("segments/*/vectors.npy"))
    right = vectors.read_bytes()
    vectors.chmod(0o644)
    vectors.write_bytes(right[:-4] + b"\0\0\0\0")
    (galleries_dir / "chairs" / "quotas.json").write_text('{"max_photos": 3}')
    app = create_app(settings())

    async def scenario() -> None:
        async with running(app) as client:
            broken = await client.post("/v1/galleries/shoes/search", content=cross)
            assert (broken.status_code, broken.json()["code"]) == (503, "gallery_unavailable")
            assert "missing or damaged" in broken.json()["detail"]
            assert str(galleries_dir) not in broken.text
            assert int(broken.headers["retry-after"]) >= 1
            assert "quotas" in (await client.get("/v1/galleries/chairs/categories")).json()["detail"]
            assert (await client.post("/v1/search", content=cross)).status_code == 200
            ready = await client.get("/readyz")
            assert (ready.status_code, ready.json()["galleries_failed"]) == (200, 2)
            listed = {entry["gallery"]: entry for entry in (await client.get("/v1/galleries")).json()["galleries"]}
            assert listed["shoes"]["state"] == "failed" and "damaged" in listed["shoes"]["problem"]
            # Not read again for each request: after 1, 2 and 4 s only.
            for _ in range(20):
                assert (await client.post("/v1/galleries/shoes/search", content=cross)).status_code == 503
            lines = (await client.get("/metrics")).text.splitlines()
            (tried,) = [line for line in lines if line.startswith('inkseek_gallery_failures_total{gallery="shoes"}')]
            assert 1 <= float(tried.split()[-1]) <= 4

            vectors.write_bytes(right)
            async with asyncio.timeout(60):
                while (await client.post("/v1/galleries/shoes/search", content=cross)).status_code != 200:
                    await asyncio.sleep(0.1)
            assert (await client.get("/readyz")).json()["galleries_failed"] == 1

    asyncio.run(scenario())


def test_a_new_version_of_one_gallery_and_one_that_goes_away(
    settings: Callable[..., Settings],
    galleries_dir: Path,
    shoes_photos: Path,
    adaptable_bundle_dir: Path,
    cross: bytes,
    tmp_path: Path,
) -> None:
    app = create_app(settings())

    async def scenario() -> None:
        async with running(app) as client:
            galleries = app.state.process.galleries
            first = (await client.post("/v1/galleries/shoes/search", content=cross)).json()["index_version"]
            other = (await client.post("/v1/galleries/chairs/search", content=cross)).json()["index_version"]
            fewer = tmp_path / "fewer"
            shutil.copytree(shoes_photos, fewer)
            (fewer / "tall" / "3.png").unlink()
            request = BuildRequest(photos=fewer, out=galleries_dir / "shoes", bundle=adaptable_bundle_dir)
            built = await asyncio.to_thread(build_index, request)
            assert built.version != first
            await until_async(lambda: galleries.find_open("shoes").serving.version == built.version)
            answer = await client.post("/v1/galleries/shoes/search?k=50", content=cross)
            assert answer.json()["index_version"] == built.version
            assert len(answer.json()["results"]) == 3
            assert (await client.post("/v1/galleries/chairs/search", content=cross)).json()["index_version"] == other
            assert 'inkseek_gallery_photos{gallery="shoes"} 3.0' in (await client.get("/metrics")).text

            shutil.rmtree(galleries_dir / "chairs")
            await until_async(lambda: galleries.find_open("chairs") is None)
            gone = await client.post("/v1/galleries/chairs/search", content=cross)
            assert (gone.status_code, gone.json()["code"]) == (404, "gallery_not_found")

    asyncio.run(scenario())


def test_an_idle_gallery_closes_and_opens_again(settings: Callable[..., Settings], cross: bytes) -> None:
    app = create_app(settings(galleries_idle_s=0.2))

    async def scenario() -> None:
        async with running(app) as client:
            for _ in range(2):
                assert (await client.post("/v1/galleries/shoes/search", content=cross)).status_code == 200
                await until_async(lambda: app.state.process.galleries.find_open("shoes") is None)
            metrics = (await client.get("/metrics")).text
            assert 'inkseek_gallery_closed_total{reason="idle"} 2.0' in metrics
            assert 'inkseek_gallery_open{gallery="shoes"} 0.0' in metrics
            assert "inkseek_galleries_memory_bytes 0.0" in metrics

    asyncio.run(scenario())
