"""From one bundle to another: at each step the old service and the new one start and answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from index_builder.build import BuildRequest, build_index
from models.bundle import read_manifest
from service.app import create_app
from service.config import Settings
from service.http.schemas.operation import Info, Readiness
from tests.contract.test_lifecycle import other_bundle, running
from tests.contract.waiting import until_async

MakeSettings = Callable[..., Settings]


def number(metrics: str, name: str) -> float:
    (line,) = [line for line in metrics.splitlines() if line.startswith(name + " ")]
    return float(line.rpartition(" ")[2])


async def state(client: httpx.AsyncClient) -> tuple[str, str | None, bool, float]:
    """Version in service, version published, whether a reason is named, and the gauge; they agree everywhere."""
    answer = await client.get("/readyz")
    assert answer.status_code == 200
    ready, info = (
        Readiness.model_validate(answer.json()),
        Info.model_validate((await client.get("/v1/info")).json()),
    )
    for name in ("index_version", "index_published_version", "index_update_problem", "index_created_at", "bundle_id"):
        assert getattr(ready, name) == getattr(info, name)
    behind = number((await client.get("/metrics")).text, "inkseek_index_behind")
    return ready.index_version, ready.index_published_version, ready.index_update_problem is not None, behind


def test_an_upgrade_has_no_moment_without_a_starting_service(
    gallery_dir: Path, tiny_bundle_dir: Path, tmp_path: Path, cross: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    index, new_bundle = tmp_path / "index", other_bundle(tiny_bundle_dir, tmp_path / "other")

    def build(bundle: Path, keep: int = 1) -> str:
        return build_index(BuildRequest(photos=gallery_dir / "box", out=index, bundle=bundle, keep=keep)).version

    def service(bundle: Path) -> Settings:
        return Settings(index=index, bundle=bundle, online_dir=tmp_path / "online", threads=1, index_poll_s=0.05)

    async def answers_with(client: httpx.AsyncClient, version: str) -> bool:
        answer = await client.post("/v1/search", content=cross)
        return bool(answer.status_code == 200 and answer.json()["index_version"] == version)

    async def scenario() -> None:
        old_version = build(tiny_bundle_dir)
        old = create_app(service(tiny_bundle_dir))
        async with running(old) as client:
            assert await state(client) == (old_version, old_version, False, 0)
            # Step 1: the new bundle's version is published. The old service goes on, and says what it waits for.
            new_version = await asyncio.to_thread(build, new_bundle)
            await until_async(lambda: old.state.process.monitor.health.update_problem is not None)
            assert await state(client) == (old_version, new_version, True, 1)
            problem = (await client.get("/readyz")).json()["index_update_problem"]
            assert new_version in problem and read_manifest(new_bundle).bundle_id in problem
            assert "inkseek_index_load_failures_total 0.0" in (await client.get("/metrics")).text  # it is no failure
            assert await answers_with(client, old_version)
            # What the gallery gets meanwhile, a build for the old bundle brings it.
            newer_version = await asyncio.to_thread(build, tiny_bundle_dir)
            await until_async(lambda: old.state.process.serving.version == newer_version)
            assert await state(client) == (newer_version, newer_version, False, 0)
            newest_version = await asyncio.to_thread(build, new_bundle)
            await until_async(lambda: old.state.process.monitor.health.update_problem is not None)
            assert await state(client) == (newer_version, newest_version, True, 1)
        # A restart of the old service at this moment.
        async with running(create_app(service(tiny_bundle_dir))) as client:
            assert await state(client) == (newer_version, newest_version, True, 1)
            assert await answers_with(client, newer_version)
            # Step 2: the service with the new bundle.
            async with running(create_app(service(new_bundle))) as successor:
                assert await state(successor) == (newest_version, newest_version, False, 0)
                assert await answers_with(successor, newest_version)
                assert await answers_with(client, newer_version)

    asyncio.run(scenario())
    assert len([record for record in caplog.records if "restart with that bundle" in record.message]) == 3


def test_the_age_of_the_index_is_measured(make_settings: MakeSettings) -> None:
    async def scenario() -> None:
        async with running(create_app(make_settings())) as client:
            built = number((await client.get("/metrics")).text, "inkseek_index_created_timestamp_seconds")
            assert 0 < time.time() - built < 24 * 3600
            created_at = (await client.get("/v1/info")).json()["index_created_at"]
            assert time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(built)) == created_at[:19]

    asyncio.run(scenario())


def test_a_gallery_of_another_bundle_says_so(
    gallery_dir: Path, tiny_bundle_dir: Path, tmp_path: Path, make_settings: MakeSettings
) -> None:
    shoes = tmp_path / "galleries" / "shoes"
    new_bundle = other_bundle(tiny_bundle_dir, tmp_path / "other")
    old_version = build_index(BuildRequest(photos=gallery_dir / "box", out=shoes, bundle=tiny_bundle_dir)).version
    new_version = build_index(BuildRequest(photos=gallery_dir / "box", out=shoes, bundle=new_bundle)).version
    settings = make_settings(galleries=str(shoes.parent), online_dir=tmp_path / "online", index_poll_s=0.05)

    async def scenario() -> None:
        app = create_app(settings)
        async with running(app) as client:
            info = (await client.get("/v1/galleries/shoes/info")).json()
            assert info["index_version"] == old_version
            gallery = app.state.process.galleries.find_open("shoes")
            await until_async(lambda: gallery.health.update_problem is not None)
            listed = (await client.get("/v1/galleries")).json()["galleries"]
            assert new_version in next(g for g in listed if g["gallery"] == "shoes")["index_update_problem"]
            metrics = (await client.get("/metrics")).text
            assert number(metrics, 'inkseek_gallery_index_behind{gallery="shoes"}') == 1
            assert number(metrics, 'inkseek_gallery_index_created_timestamp_seconds{gallery="shoes"}') > 0

    asyncio.run(scenario())
