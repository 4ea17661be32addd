"""Cursors over HTTP: pages of a search, of similar photos and of the gallery, in any gallery, and what ends them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from starlette.testclient import TestClient

from index_builder.build import BuildRequest, build_index
from service.app import create_app
from service.config import Settings
from service.http.schemas.answers import SearchAnswer
from service.http.schemas.gallery import Photos
from service.http.schemas.problem import Problem

Drawing = Callable[[str, int], Image.Image]
Encode = Callable[..., bytes]
Ask = Callable[[dict[str, Any]], dict[str, Any]]


def pages(ask: Ask, key: str) -> list[dict[str, Any]]:
    """What is listed under `key` on every page."""
    found: list[dict[str, Any]] = []
    sent: dict[str, Any] = {}
    while True:
        answer = ask(sent)
        found += answer[key]
        if answer["next_cursor"] is None:
            return found
        sent = {"cursor": answer["next_cursor"]}


def searching(client: TestClient, cross: bytes, **params: Any) -> Ask:
    def ask(sent: dict[str, Any]) -> dict[str, Any]:
        response = client.post("/v1/search", params={**params, **sent}, files={"sketch": cross})
        assert response.status_code == 200, response.text
        return SearchAnswer.model_validate(response.json()).model_dump()

    return ask


@pytest.mark.parametrize("params", [{}, {"category": "box"}, {"category": ["box", "cross"]}, {"filter": "price>=20"}])
def test_pages_of_a_search_are_one_long_answer(client: TestClient, cross: bytes, params: dict[str, Any]) -> None:
    whole = searching(client, cross, k=200, **params)({})
    assert whole["next_cursor"] is None
    # A form has another boundary each time, and is the same sketch.
    assert pages(searching(client, cross, k=4, **params), "results") == whole["results"]


def test_pages_of_similar_photos(client: TestClient) -> None:
    def ask(sent: dict[str, Any], k: int = 4) -> dict[str, Any]:
        answer: dict[str, Any] = client.get("/v1/photos/cross/2.png/similar", params={"k": k, **sent}).json()
        return answer

    assert pages(ask, "results") == ask({}, 200)["results"]


def test_a_batch_answers_cursors_that_a_single_search_takes(client: TestClient, cross: bytes) -> None:
    (item,) = client.post("/v1/search:batch?k=4", files=[("sketch", cross)]).json()["items"]
    behind = searching(client, cross, k=4)({"cursor": item["next_cursor"]})
    assert [hit["rank"] for hit in behind["results"]] == [5, 6, 7, 8]
    assert client.post("/v1/search:batch?cursor=a", files=[("sketch", cross)]).status_code == 422


@pytest.mark.parametrize("path", ["/v1/photos", "/v1/galleries/default/photos"])
def test_the_gallery_is_listed_in_pages(client: TestClient, path: str) -> None:
    def ask(sent: dict[str, Any]) -> dict[str, Any]:
        response = client.get(path, params={"limit": "4", **sent})
        assert response.status_code == 200, response.text
        return Photos.model_validate(response.json()).model_dump()

    listed = pages(ask, "photos")
    assert [photo["photo_id"] for photo in listed] == [
        f"{category}/{number}.png" for category in ("box", "cross", "wave form") for number in range(5)
    ]
    for photo in listed:
        assert client.get(photo["thumbnail_url"]).status_code == 200
        assert photo["thumbnail_url"].startswith(path)
    assert ask({})["total"] == 15
    record = client.get(path + "/box/1.png").json()
    assert client.get(path, params={"filter": "photo_id=box/1.png"}).json()["photos"] == [record]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("category=box", ["box"]),
        ("filter=category!=box", ["cross", "wave form"]),
        ("filter=category not in (box, cross)", ["wave form"]),
        ("filter=category=box OR category^=wave", ["box", "wave form"]),
        ("filter=category in (box, cross)&filter=category!=box", ["cross"]),
    ],
)
def test_categories_are_named_and_excluded_as_in_a_search(
    client: TestClient, cross: bytes, query: str, names: list[str]
) -> None:
    listed = client.get(f"/v1/photos?fields=category&{query}").json()["photos"]
    assert sorted({photo["category"] for photo in listed}) == names
    found = client.post(f"/v1/search?k=200&{query}", content=cross).json()["results"]
    assert sorted({hit["category"] for hit in found}) == names
    assert len(found) == len(listed)


def test_fields_are_chosen(client: TestClient) -> None:
    for query in ("fields=photo_id&fields=width", "fields=photo_id,width", "fields=photo_id, width"):
        assert client.get(f"/v1/photos?limit=1&{query}").json()["photos"] == [{"photo_id": "box/0.png", "width": 256}]
    response = client.get("/v1/photos?fields=colour")
    assert (response.status_code, response.json()["code"]) == (422, "parameter_invalid")
    assert "photo_id" in response.json()["detail"]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("limit=0", "parameter_invalid"),
        ("limit=1001", "parameter_invalid"),
        ("k=3", "parameter_invalid"),
        ("cursor=abc", "cursor_invalid"),
        ("cursor=" + "a" * 4097, "parameter_invalid"),
        ("category=bxo", "unknown_category"),
        ("filter=price>cheap", "filter_invalid"),
    ],
)
def test_wrong_parameters_of_a_list_are_said(client: TestClient, query: str, code: str) -> None:
    response = client.get(f"/v1/photos?{query}")
    assert (response.status_code, Problem.model_validate(response.json()).code) == (422, code)


@pytest.fixture
def changing(
    make_settings: Callable[..., Settings], adaptable_bundle_dir: Path, tmp_path: Path
) -> Iterator[TestClient]:
    settings = make_settings(bundle=adaptable_bundle_dir, online_dir=tmp_path / "online")
    with TestClient(create_app(settings)) as client:
        yield client


def test_what_changes_meanwhile_is_said(
    changing: TestClient, support_form: Callable[..., Any], drawing: Drawing, encoded: Encode, cross: bytes
) -> None:
    """An adapter of another category disturbs nobody; one of the searched category, or an upload, does."""
    within = searching(changing, cross, k=2, category="cross")({})["next_cursor"]
    everything = searching(changing, cross, k=2)({})["next_cursor"]

    def status(cursor: str, **params: Any) -> tuple[int, str]:
        sent = {"k": 2, "cursor": cursor, **params}
        response = changing.post("/v1/search", params=sent, content=cross)
        return response.status_code, response.json().get("code", "")

    form = support_form("box")
    assert changing.post("/v1/categories/box/adapters?force=true", files=form).status_code == 201
    assert status(within, category="cross") == (200, "")
    form = support_form("cross")
    assert changing.post("/v1/categories/cross/adapters?force=true", files=form).status_code == 201
    assert status(within, category="cross") == (410, "cursor_stale")
    assert status(everything) == (200, "")
    new = [("sketch", encoded(drawing("box", 3))), ("photo", encoded(drawing("box", 3).rotate(90)))]
    assert (
        changing.post("/v1/categories/box/adapters?force=true", files=[*support_form("box"), *new]).status_code == 201
    )
    assert status(everything) == (410, "cursor_stale")


def test_photos_that_look_the_same_are_one_result(twins: TestClient, cross: bytes) -> None:
    alone = searching(twins, cross, k=200)({})["results"]
    assert len(alone) == 9 and all(hit["duplicates"] is None for hit in alone)
    whole = searching(twins, cross, k=200, group_duplicates=True)({})["results"]
    assert [hit["rank"] for hit in whole] == [1, 2, 3]
    groups = [{hit["photo_id"], *(other["photo_id"] for other in hit["duplicates"])} for hit in whole]
    assert sorted(map(sorted, groups)) == [[f"{name}_{copy}.jpg" for copy in range(3)] for name in ("0", "1", "2")]
    for hit in whole:
        for other in hit["duplicates"]:
            assert other["score"] <= hit["score"]
            assert twins.get(other["thumbnail_url"]).status_code == 200
    paged = pages(searching(twins, cross, k=1, group_duplicates=True), "results")
    assert [hit["photo_id"] for hit in paged] == [hit["photo_id"] for hit in whole]
    batch = twins.post(
        "/v1/search:batch", params={"k": 2, "group_duplicates": True}, files=[("sketch", cross), ("sketch", cross)]
    ).json()
    assert [[hit["photo_id"] for hit in item["results"]] for item in batch["items"]] == [
        [hit["photo_id"] for hit in whole[:2]]
    ] * 2
    similar = twins.get("/v1/photos/0_0.jpg/similar", params={"group_duplicates": True}).json()["results"]
    assert len(similar) == 3


@pytest.fixture
def twins(tmp_path: Path, tiny_bundle_dir: Path, drawing: Drawing) -> Iterator[TestClient]:
    """Three pictures in three files each."""
    (tmp_path / "photos").mkdir()
    for number in range(3):
        for copy in range(3):
            picture = drawing("box", number).convert("RGB")
            picture.save(tmp_path / "photos" / f"{number}_{copy}.jpg", quality=75 + 10 * copy)
    build_index(BuildRequest(tmp_path / "photos", tmp_path / "index", bundle=tiny_bundle_dir))
    settings = Settings(index=tmp_path / "index", bundle=tiny_bundle_dir, online_dir=tmp_path / "online")
    with TestClient(create_app(settings)) as client:
        yield client
