"""Several galleries in one service: nothing of one is seen through another."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from starlette.testclient import TestClient
from starlette.types import Scope

from service.access.principal import EVERYBODY, Principal
from service.app import create_app
from service.config import Settings
from service.http.schemas.galleries import Galleries
from tests.contract.changes import drawings
from tests.contract.changes.drawings import put, star
from tests.contract.waiting import until

Drawing = Callable[[str, int], Image.Image]
Encode = Callable[..., bytes]
MakeSettings = Callable[..., Settings]
Form = Callable[..., list[tuple[str, Any]]]


def bound(scope: Scope) -> Principal:
    """A stand-in for keys: the header names the galleries; without it, all."""
    sent = next((value.decode() for name, value in scope["headers"] if name == b"x-galleries"), None)
    return EVERYBODY if sent is None else Principal("bound", EVERYBODY.access, frozenset(sent.split()))


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


def test_photos_change_in_one_gallery_alone(settings: Callable[..., Settings], galleries_dir: Path) -> None:
    (galleries_dir / "chairs" / "quotas.json").write_text(json.dumps({"max_online_photos": 1}))
    with TestClient(create_app(settings(seal_after=0))) as client:
        chairs = "/v1/galleries/chairs"
        record = put(client, "stars/1", star(1), chairs)
        assert record["image_url"] == f"{chairs}/photos/stars/1/image"
        assert drawings.found(client, star(1), chairs)[0] == "stars/1"
        assert "stars/1" not in drawings.found(client, star(1), k=50)
        assert client.put(f"{chairs}/photos/stars/2", content=star(2)).json()["code"] == "online_photos_limit"
        assert client.delete(f"{chairs}/photos/box/1.png").status_code == 204
        assert client.get("/v1/photos/box/1.png").status_code == 200
        items = {"items": [{"photo_id": "stars/1", "category": "bright"}]}
        job = client.post(f"{chairs}/photos:batch", json=items)
        assert job.status_code == 202 and client.get("/v1/jobs").json() == {"jobs": []}
        until(lambda: client.get(job.headers["location"]).json()["state"] == "done")
        assert drawings.found(client, star(1), chairs, category="bright") == ["stars/1"]
        assert 'inkseek_gallery_photo_changes_total{change="put",gallery="chairs"} 1.0' in client.get("/metrics").text
