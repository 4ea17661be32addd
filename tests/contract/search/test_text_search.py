"""Words beside the drawing: which photos are left, compared with a loop over all of them."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from service.app import create_app
from service.config import Settings

MakeSettings = Callable[..., Settings]

# Of some photos, as a patch says them: in other places of the gallery than the index has them.
DESCRIBED = {
    "box/1.png": {"artist": "Zoë Čapek"},
    "cross/3.png": {"artist": "Ada of Red Mugs"},
    "wave form/0.png": {"artist": "red_mug"},
}


@pytest.fixture
def described(make_settings: MakeSettings, tmp_path: Path) -> Iterator[TestClient]:
    with TestClient(create_app(make_settings(online_dir=tmp_path)), raise_server_exceptions=False) as client:
        for photo_id, metadata in DESCRIBED.items():
            assert client.patch(f"/v1/photos/{photo_id}", json={"metadata": metadata}).status_code == 200
        assert client.delete("/v1/photos/cross/4.png").status_code == 204
        yield client


def plain(text: str) -> str:
    folded = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter if letter.isalnum() else " " for letter in folded if not unicodedata.combining(letter))


def has(photo: dict[str, Any], phrases: list[str], begun: str = "") -> bool:
    """Whether each phrase stands in a field of the photo, and a word or words that go on as `begun` does."""
    fields = [photo["photo_id"], photo["category"], *map(str, photo["metadata"].values())]
    padded = [f" {' '.join(plain(field).split())} " for field in fields]
    whole = all(any(f" {phrase} " in field for field in padded) for phrase in phrases)
    return whole and (not begun or any(f" {begun}" in field for field in padded))


def every_photo(client: TestClient) -> list[dict[str, Any]]:
    return list(client.get("/v1/photos?limit=1000").json()["photos"])


def found(client: TestClient, sketch: bytes, text: str, **params: str | int) -> list[str]:
    response = client.post("/v1/search", content=sketch, params={"text": text, "k": 50, **params})
    assert response.status_code == 200, response.text
    return [photo["photo_id"] for photo in response.json()["results"]]


@pytest.mark.parametrize(
    ("text", "phrases", "begun"),
    [
        ("box", [], "box"),
        ("BOX png", ["box"], "png"),
        ("wa", [], "wa"),
        ("wa 3", ["wa"], "3"),  # only the last word may be begun
        ("zoe", [], "zoe"),
        ("ČAPEK", [], "capek"),
        ('"zoe"', ["zoe"], ""),
        ('"zo"', ["zo"], ""),
        ('"wave form"', ["wave form"], ""),
        ('"form wave"', ["form wave"], ""),
        ('"box ada"', ["box ada"], ""),  # one behind the other, but in two fields
        ('"red mug"', ["red mug"], ""),
        ("red mug", ["red"], "mug"),
        ("red-mu", [], "red mu"),
        ('ada "cross"', ["ada", "cross"], ""),
        ("cross/4.png", [], "cross 4 png"),
        ("nothing", [], "nothing"),
        ('"red', [], "red"),
        ('box" png', ["box"], "png"),
        ("a* OR (box) NEAR/2 :^-+{}", ["a", "or", "box", "near 2"], ""),
    ],
)
def test_the_photos_that_have_the_words(
    described: TestClient, cross: bytes, text: str, phrases: list[str], begun: str
) -> None:
    photos = every_photo(described)
    assert len(photos) == 14
    expected = {photo["photo_id"] for photo in photos if has(photo, phrases, begun)}
    assert set(found(described, cross, text)) == expected
    of_category = {photo["photo_id"] for photo in photos if photo["category"] == "box"}
    assert set(found(described, cross, text, category="box")) == expected & of_category


def test_the_order_is_that_of_the_search_without_words(described: TestClient, cross: bytes) -> None:
    every = found(described, cross, "")
    ada = found(described, cross, "ada")
    assert 0 < len(ada) < len(every)
    assert ada == [photo_id for photo_id in every if photo_id in ada]
    assert found(described, cross, "ada", k=2) == ada[:2]
    assert found(described, cross, "ada", filter="price>=30") == [one for one in ada if "/3." in one]
    similar = described.get("/v1/photos/cross/0.png/similar", params={"text": "ada", "k": 50}).json()["results"]
    assert {photo["photo_id"] for photo in similar} == set(ada)


@pytest.mark.parametrize("text", ["", "   ", '"', '""', "*", "- _ !", "\x00", "(\u0301)"])
def test_a_text_without_a_word_narrows_nothing(described: TestClient, cross: bytes, text: str) -> None:
    assert len(found(described, cross, text)) == 14


def test_pages_are_of_one_text(described: TestClient, cross: bytes) -> None:
    params: dict[str, str | int] = {"text": "ada", "k": 2}
    first = described.post("/v1/search", content=cross, params=params).json()
    second = described.post("/v1/search", content=cross, params={**params, "cursor": first["next_cursor"]}).json()
    pages = [photo["photo_id"] for photo in first["results"] + second["results"]]
    assert pages == found(described, cross, "ada")[:4]
    other = {**params, "text": "bea", "cursor": first["next_cursor"]}
    assert described.post("/v1/search", content=cross, params=other).json()["code"] == "cursor_invalid"


def test_a_listing_has_the_same_photos_page_by_page(described: TestClient, cross: bytes) -> None:
    listed = described.get("/v1/photos", params={"text": "ada"}).json()
    assert {photo["photo_id"] for photo in listed["photos"]} == set(found(described, cross, "ada"))
    assert listed["total"] == len(listed["photos"])
    first = described.get("/v1/photos", params={"text": "ada", "limit": 2}).json()
    second = described.get("/v1/photos", params={"text": "ada", "limit": 2, "cursor": first["next_cursor"]}).json()
    assert first["photos"] + second["photos"] == listed["photos"][:4]
    other = described.get("/v1/photos", params={"text": "bea", "cursor": first["next_cursor"]})
    assert other.json()["code"] == "cursor_invalid"


def test_a_batch_and_a_vector_are_narrowed_alike(described: TestClient, cross: bytes) -> None:
    form = [("sketch", ("a.png", cross, "image/png"))]
    batch = described.post("/v1/search:batch", files=form, params={"text": "ada", "k": 50}).json()["items"]
    assert [photo["photo_id"] for photo in batch[0]["results"]] == found(described, cross, "ada")
    info = described.get("/v1/info").json()
    vector = [1.0] + [0.0] * (info["embedding_dim"] - 1)
    sent = {"vector": vector, "bundle": info["bundle_id"], "text": "ada", "k": 50}
    answer = described.post("/v1/search:vector", json=sent)
    assert answer.status_code == 200, answer.text
    assert {photo["photo_id"] for photo in answer.json()["results"]} == set(found(described, cross, "ada"))


def test_a_text_that_is_too_long_is_rejected(described: TestClient, cross: bytes) -> None:
    response = described.post("/v1/search", content=cross, params={"text": "a" * 301})
    assert (response.status_code, response.json()["code"]) == (422, "parameter_invalid")
