"""Several galleries in one service: nothing of one is seen through another, and each opens, closes and fails alone."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from PIL import Image
from starlette.testclient import TestClient
from starlette.types import Scope

from index_builder.build import BuildRequest, build_index
from service.access.principal import EVERYBODY, Principal
from service.app import create_app
from service.config import Settings
from service.errors import GalleryUnavailable
from service.http.schemas.galleries import Galleries
from service.runtime.galleries.open_gallery import memory_of

Drawing = Callable[[str, int], Image.Image]
Encode = Callable[..., bytes]
MakeSettings = Callable[..., Settings]
Form = Callable[..., list[tuple[str, Any]]]


@pytest.fixture(scope="session")
def shoes_photos(tmp_path_factory: pytest.TempPathFactory, drawing: Drawing) -> Path:
    """Photos that no other gallery has: `tall/<n>.png`, boxes and waves turned on their side."""
    root = tmp_path_factory.mktemp("shoes") / "photos"
    (root / "tall").mkdir(parents=True)
    for number in range(4):
        drawing("box" if number % 2 else "wave form", number).rotate(90).save(root / "tall" / f"{number}.png")
    return root


@pytest.fixture
def galleries_dir(tmp_path: Path, index_dir: Path, shoes_photos: Path, adaptable_bundle_dir: Path) -> Path:
    """`shoes` of its own photos, `chairs` a copy of the default gallery; both may be changed."""
    root = tmp_path / "galleries"
    build_index(BuildRequest(photos=shoes_photos, out=root / "shoes", bundle=adaptable_bundle_dir))
    shutil.copytree(index_dir, root / "chairs", ignore=shutil.ignore_patterns("online"))
    return root


@pytest.fixture
def settings(
    make_settings: MakeSettings, galleries_dir: Path, adaptable_bundle_dir: Path, tmp_path: Path
) -> Callable[..., Settings]:
    def make(**changes: object) -> Settings:
        values: dict[str, object] = {"online_dir": tmp_path / "online", "index_poll_s": 0.05, **changes}
        return make_settings(bundle=adaptable_bundle_dir, galleries=str(galleries_dir), **values)

    return make


@pytest.fixture
def client(settings: Callable[..., Settings]) -> Iterator[TestClient]:
    with TestClient(create_app(settings()), raise_server_exceptions=False) as client:
        yield client


def bound(scope: Scope) -> Principal:
    """A stand-in for keys: the header names the galleries; without it, all."""
    sent = next((value.decode() for name, value in scope["headers"] if name == b"x-galleries"), None)
    return EVERYBODY if sent is None else Principal("bound", EVERYBODY.access, frozenset(sent.split()))


@asynccontextmanager
async def running(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            yield client


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.02)


def found(response: Any) -> set[str]:
    assert response.status_code == 200, response.text
    return {hit["photo_id"] for hit in response.json()["results"]}


def test_each_gallery_answers_with_its_own_photos(client: TestClient, cross: bytes) -> None:
    default = client.post("/v1/search?k=50", content=cross)
    shoes = client.post("/v1/galleries/shoes/search?k=50", content=cross)
    assert found(shoes) == {f"tall/{number}.png" for number in range(4)}
    assert not found(shoes) & found(default)
    # The same photos in the other gallery: the same scores, and URLs that lead to that gallery.
    chairs = client.post("/v1/galleries/chairs/search?k=50", content=cross).json()
    scores = [(hit["photo_id"], hit["score"]) for hit in chairs["results"]]
    assert scores == [(hit["photo_id"], hit["score"]) for hit in default.json()["results"]]
    for hit in (*chairs["results"][:3], *shoes.json()["results"][:3]):
        assert client.get(hit["thumbnail_url"]).headers["content-type"] == "image/jpeg"
        assert hit["thumbnail_url"].startswith("/v1/galleries/")

    assert client.get("/v1/galleries/shoes/categories").json()["total"] == 4
    assert client.get("/v1/galleries/shoes/info").json()["gallery"] == "shoes"
    assert client.get("/v1/galleries/shoes/photos/box/1.png").status_code == 404
    assert client.get("/v1/galleries/shoes/photos/tall/1.png").json()["category"] == "tall"
    assert client.get("/v1/photos/tall/1.png").json()["code"] == "photo_not_found"
    assert client.post("/v1/galleries/shoes/search?category=box", content=cross).json()["code"] == "unknown_category"
    batch = client.post("/v1/galleries/shoes/search:batch", files=[("sketch", cross)]).json()
    assert batch["items"][0]["results"][0]["image_url"].startswith("/v1/galleries/shoes/photos/tall/")
    # Under its own name, the default gallery is the one of the short routes.
    assert found(client.post("/v1/galleries/default/search?k=50", content=cross)) == found(default)


def test_adapters_and_uploads_stay_in_their_gallery(
    client: TestClient, support_form: Form, drawing: Drawing, encoded: Encode, cross: bytes, tmp_path: Path
) -> None:
    fitted = client.post("/v1/galleries/chairs/categories/box/adapters?force=true", files=support_form("box"))
    assert fitted.status_code == 201, fitted.text
    upload = encoded(drawing("cross", 1).rotate(45))
    form: list[tuple[str, Any]] = [
        ("sketch", cross),
        ("sketch", encoded(drawing("cross", 3))),
        ("photo_id", (None, "cross/2.png")),
    ]
    added = client.post("/v1/galleries/chairs/categories/cross/adapters", files=[*form, ("photo", upload)])
    assert added.status_code == 201, added.text
    (photo_id,) = added.json()["photos_added"]
    assert client.post("/v1/galleries/chairs/profiles/ada/adapters", files=support_form("box")).status_code == 201

    def seen(base: str) -> tuple[Any, ...]:
        return (
            len(client.get(f"{base}/categories/box/adapters").json()["adapters"]),
            client.get(f"{base}/photos/{photo_id}").status_code,
            client.get(f"{base}/photos/{photo_id}/image").status_code,
            client.get(f"{base}/categories").json()["total"],
            [profile["profile"] for profile in client.get(f"{base}/profiles").json()["profiles"]],
            client.post(f"{base}/search?category=box", content=cross).json()["adapted"],
        )

    assert seen("/v1/galleries/chairs") == (1, 200, 200, 16, ["ada"], "adapter")
    assert seen("/v1") == (0, 404, 404, 15, [], "centred")
    assert client.get("/v1/galleries/shoes/profiles").json() == {"profiles": []}
    undone = client.post("/v1/galleries/chairs/categories/box/adapters:rollback")
    assert undone.json() == {"active": None}
    assert {path.parent.name for path in (tmp_path / "online").rglob("online.sqlite")} == {"chairs"}


def test_a_gallery_that_a_key_may_not_see_does_not_exist(settings: Callable[..., Settings], cross: bytes) -> None:
    with TestClient(create_app(settings(), authenticate=bound), raise_server_exceptions=False) as client:

        def ask(path: str, galleries: str, method: str = "POST") -> Any:
            headers = {"x-galleries": galleries, "x-request-id": "same"}
            return client.request(method, path, content=cross if method == "POST" else None, headers=headers)

        assert ask("/v1/galleries/shoes/search", "shoes").status_code == 200
        for name in ("shoes", "shoos", "default"):
            hidden = ask(f"/v1/galleries/{name}/search", "chairs")
            assert (hidden.status_code, hidden.json()["code"]) == (404, "gallery_not_found")
            # Open by now, closed or never there: the answers differ in the name alone, and name none that is hidden.
            assert hidden.json()["detail"].replace(name, "NAME") == (
                "there is no gallery 'NAME'; there are 1, such as chairs"
            )
        assert ask("/v1/search", "shoes").json()["code"] == "gallery_not_found"
        assert ask("/v1/photos/box/1.png", "shoes", "GET").status_code == 404
        assert "close ones are shoes" in ask("/v1/galleries/shoos/search", "shoes chairs").json()["detail"]

        listed = ask("/v1/galleries", "shoes gone", "GET").json()
        assert [entry.gallery for entry in Galleries.model_validate(listed).galleries] == ["shoes"]
        assert ask("/v1/galleries/shoes/info", "shoes", "GET").json()["galleries_open"] == ["shoes"]
        everything = client.get("/v1/galleries").json()["galleries"]
        assert [(entry["gallery"], entry["state"]) for entry in everything] == [
            ("chairs", "closed"), ("default", "open"), ("shoes", "open"),
        ]  # fmt: skip


@pytest.mark.parametrize("name", ["%2e%2e", "Shoes", "a.b", "-a", "a" * 64, "shoes%2f..", "sh%00oes", "shoes%0a"])
def test_what_cannot_be_a_name_is_no_gallery(client: TestClient, name: str, cross: bytes) -> None:
    response = client.post(f"/v1/galleries/{name}/search", content=cross)
    assert response.status_code in (404, 405)
    assert response.headers["content-type"] == "application/problem+json"
    assert client.get("/v1/galleries/shoes/galleries").json()["code"] == "not_found"
    assert client.get("/v1/galleries/shoes/livez").json()["code"] == "not_found"


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
    chairs = memory_of(settings().model_copy(update={"index": galleries_dir / "chairs"}))
    app = create_app(settings(galleries_memory_bytes=chairs + 1))  # either of them, not both

    async def scenario() -> None:
        async with running(app) as client:
            galleries = app.state.process.galleries
            async with galleries.lease("chairs") as held:
                waiting = asyncio.ensure_future(client.post("/v1/galleries/shoes/search", content=cross))
                await until(lambda: galleries.find_open("chairs") is None)  # given up for the other one …
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
    vectors = next((galleries_dir / "shoes").glob("versions/*/vectors.npy"))
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
            async with asyncio.timeout(20):
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
            await until(lambda: galleries.find_open("shoes").serving.version == built.version)
            answer = await client.post("/v1/galleries/shoes/search?k=50", content=cross)
            assert answer.json()["index_version"] == built.version
            assert len(answer.json()["results"]) == 3
            assert (await client.post("/v1/galleries/chairs/search", content=cross)).json()["index_version"] == other
            assert 'inkseek_gallery_photos{gallery="shoes"} 3.0' in (await client.get("/metrics")).text

            shutil.rmtree(galleries_dir / "chairs")
            await until(lambda: galleries.find_open("chairs") is None)
            gone = await client.post("/v1/galleries/chairs/search", content=cross)
            assert (gone.status_code, gone.json()["code"]) == (404, "gallery_not_found")

    asyncio.run(scenario())


def test_an_idle_gallery_closes_and_opens_again(settings: Callable[..., Settings], cross: bytes) -> None:
    app = create_app(settings(galleries_idle_s=0.2))

    async def scenario() -> None:
        async with running(app) as client:
            for _ in range(2):
                assert (await client.post("/v1/galleries/shoes/search", content=cross)).status_code == 200
                await until(lambda: app.state.process.galleries.find_open("shoes") is None)
            metrics = (await client.get("/metrics")).text
            assert 'inkseek_gallery_closed_total{reason="idle"} 2.0' in metrics
            assert 'inkseek_gallery_open{gallery="shoes"} 0.0' in metrics
            assert "inkseek_galleries_memory_bytes 0.0" in metrics

    asyncio.run(scenario())


def test_a_gallery_has_quotas_of_its_own(
    settings: Callable[..., Settings], galleries_dir: Path, support_form: Form
) -> None:
    (galleries_dir / "chairs" / "quotas.json").write_text(json.dumps({"max_adapters": 1}))
    with TestClient(create_app(settings())) as client:
        assert client.get("/v1/galleries/chairs/info").json()["limits"]["max_adapters"] == 1
        path = "/v1/galleries/chairs/categories/box/adapters"
        assert client.post(path, files=support_form("box")).status_code == 201
        again = client.post(path, files=support_form("box", (1, 2, 3)))
        assert (again.status_code, again.json()["code"]) == (409, "adapters_limit")
        assert client.post("/v1/categories/box/adapters", files=support_form("box")).status_code == 201


def test_a_gallery_keeps_no_more_than_its_own_quota(
    settings: Callable[..., Settings], galleries_dir: Path, support_form: Form
) -> None:
    (galleries_dir / "chairs" / "quotas.json").write_text(json.dumps({"max_online_targets": 1}))
    with TestClient(create_app(settings())) as client:
        for gallery, status in (("/v1/galleries/chairs", 507), ("/v1", 201)):
            assert client.post(f"{gallery}/categories/box/adapters", files=support_form("box")).status_code == 201
            answer = client.post(f"{gallery}/categories/cross/adapters", files=support_form("cross"))
            assert answer.status_code == status, answer.text


def test_metrics_name_a_bounded_number_of_galleries(settings: Callable[..., Settings], cross: bytes) -> None:
    with TestClient(create_app(settings(gallery_labels=1))) as client:
        for name in ("shoes", "chairs", "shoes", "nowhere"):
            client.post(f"/v1/galleries/{name}/search", content=cross)
        metrics = client.get("/metrics").text
        assert 'inkseek_gallery_requests_total{gallery="shoes",status="200"} 2.0' in metrics
        assert 'inkseek_gallery_requests_total{gallery="other",status="200"} 1.0' in metrics
        assert "chairs" not in metrics and "nowhere" not in metrics
        # By route, a gallery's searches count as searches.
        assert 'inkseek_requests_total{method="POST",route="/v1/search",status="200"} 3.0' in metrics
