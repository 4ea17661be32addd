"""Feedback over HTTP: off by default, collected, listed, deleted; no search changes by it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image
from starlette.testclient import TestClient

from service.access.key_file import add_key
from service.access.keys import make_key
from service.app import create_app
from service.config import Settings

Drawing = Callable[[str, int], Image.Image]
Encode = Callable[..., bytes]


@pytest.fixture
def collecting(settings: Settings) -> Iterator[TestClient]:
    open_to_feedback = settings.model_copy(update={"feedback": True, "max_feedback": 3})
    with TestClient(create_app(open_to_feedback), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def sketch(drawing: Drawing, encoded: Encode) -> Callable[[int], bytes]:
    return lambda number: encoded(drawing("box", number))


def test_it_is_off_by_default(adaptable: TestClient, sketch: Callable[[int], bytes]) -> None:
    answer = adaptable.post("/v1/feedback?photo_id=box/1.png", content=sketch(1))
    assert (answer.status_code, answer.json()["code"]) == (403, "feedback_off")
    assert adaptable.get("/v1/feedback").json() == {"feedback": []}
    assert adaptable.get("/v1/info").json()["feedback"] is False


def test_the_service_says_whose_feedback_it_takes(settings: Settings, tmp_path: Path) -> None:
    own = {"online_dir": tmp_path, "feedback": True}
    for scopes, takes in (("search", False), ("search,adapt", True)):
        narrowed = Settings.model_validate(settings.model_dump() | own | {"anonymous_scopes": scopes})
        add_key(narrowed.key_path, make_key("other", ("search",)).key)
        with TestClient(create_app(narrowed)) as client:
            assert client.get("/v1/info").json()["feedback"] is takes


def test_pairs_are_kept_listed_bounded_and_deleted(collecting: TestClient, sketch: Callable[[int], bytes]) -> None:
    kept = [collecting.post(f"/v1/feedback?photo_id=box/{n}.png", content=sketch(n)) for n in (1, 2, 3, 4)]
    assert [answer.status_code for answer in kept] == [201] * 4
    assert kept[0].json()["category"] == "box"
    listed = collecting.get("/v1/feedback", params={"category": "box"}).json()["feedback"]
    assert [pair["photo_id"] for pair in listed] == ["box/4.png", "box/3.png", "box/2.png"]
    assert collecting.get("/v1/feedback", params={"category": "cross"}).json() == {"feedback": []}
    newest = listed[0]["feedback_id"]
    assert collecting.delete(f"/v1/feedback/{newest}").status_code == 204
    again = collecting.delete(f"/v1/feedback/{newest}")
    assert (again.status_code, again.json()["code"]) == (404, "feedback_not_found")
    assert collecting.delete("/v1/feedback", params={"category": "cross"}).status_code == 204
    assert len(collecting.get("/v1/feedback").json()["feedback"]) == 2
    assert collecting.delete("/v1/feedback").status_code == 204
    assert collecting.get("/v1/feedback").json() == {"feedback": []}


def test_what_cannot_be_used_is_rejected(collecting: TestClient, sketch: Callable[[int], bytes]) -> None:
    unknown = collecting.post("/v1/feedback?photo_id=box/none.png", content=sketch(1))
    assert (unknown.status_code, unknown.json()["code"]) == (404, "photo_not_found")
    broken = collecting.post("/v1/feedback?photo_id=box/1.png", content=b"no picture")
    assert broken.status_code in (415, 422)
    assert collecting.get("/v1/feedback").json() == {"feedback": []}


def test_a_form_is_read_as_a_search_reads_it_and_the_same_sketch_counts_once(
    collecting: TestClient, sketch: Callable[[int], bytes]
) -> None:
    form = {"sketch": ("drawing.png", sketch(1), "image/png")}
    for photo in ("box/1.png", "box/2.png"):
        assert collecting.post(f"/v1/feedback?photo_id={photo}", files=form).status_code == 201
    (pair,) = collecting.get("/v1/feedback").json()["feedback"]
    assert pair["photo_id"] == "box/2.png"


def test_nothing_is_adapted_by_itself(collecting: TestClient, sketch: Callable[[int], bytes]) -> None:
    before = collecting.post("/v1/search?category=box", content=sketch(1)).json()
    for n in (1, 2, 3):
        collecting.post(f"/v1/feedback?photo_id=box/{n}.png", content=sketch(n))
    after = collecting.post("/v1/search?category=box", content=sketch(1)).json()
    assert [photo["score"] for photo in after["results"]] == [photo["score"] for photo in before["results"]]
    assert collecting.get("/v1/categories/box/adapters").json() == {"adapters": [], "active": None}
