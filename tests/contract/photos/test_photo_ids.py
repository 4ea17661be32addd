"""Ids that look like paths, suffixes and escapes: every URL of an answer reaches that very photo, and no other."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from index_builder.build import BuildRequest, build_index
from service.app import create_app
from service.config import Settings
from tests.reverse_proxy import ReverseProxy

SUFFIXES = ("/image", "/thumbnail", "/similar")
ODD_IDS = [
    "search",
    "cup",
    *(f"cup{suffix}" for suffix in SUFFIXES),
    *(f"cup{first}{second}" for first in SUFFIXES for second in SUFFIXES),
    "image",
    "thumbnail",
    "similar/image",
    "cup:rollback",
    "a b/c  d",
    "100%",
    "a%2Fb",
    "a/b",
    "a%2Fimage",
    "a/b%3Fview=image",
    "a/b?view=image",
    "a/b?view=image#top",
    "#1",
    "a;b=c&d",
    "a+b",
    "Ärger/Größe.jpg",
    "日本語/写真",
    "🦊",
    "e\u0301/nfd",
    "...",
    "..a/.b",
    "a\\b",
    "galleries/default/photos/cup",
    "inkseek/v1/photos/cup",
    "v1/photos/cup/image",
    "CUP/IMAGE",
    "cup/image.jpg",
    "-",
    '"quoted"',
    "<script>",
    "cup/view",
]


Odd = tuple[ReverseProxy, TestClient, Path]


def build(folder: Path, ids: list[str], bundle: Path) -> Path:
    """An index whose photos differ in every picture."""
    (folder / "photos").mkdir(parents=True)
    with (folder / "photos" / "manifest.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["photo_path", "photo_id", "category"])
        for number, photo_id in enumerate(ids):
            Image.new("RGB", (20 + number, 10 + number), (number * 5 % 256, 90, 200 - number)).save(
                folder / "photos" / f"{number}.png"
            )
            writer.writerow([f"{number}.png", photo_id, "things"])
    build_index(BuildRequest(photos=folder / "photos" / "manifest.csv", out=folder / "index", bundle=bundle))
    return folder / "index"


def expect_reached(client: TestClient, folder: Path, base: str, ids: list[str]) -> None:
    """Each record, picture and list of neighbours is that photo's; so are those of hits and of pages of the list."""
    listed: dict[str, dict[str, str]] = {}
    cursor = ""
    while cursor is not None:
        page = client.get(f"{base}/photos", params={"limit": 20, **({"cursor": cursor} if cursor else {})}).json()
        listed |= {photo["photo_id"]: photo for photo in page["photos"]}
        cursor = page["next_cursor"]
    assert len(listed) == len(ids)
    for photo in listed.values():
        record_url = f"{base}/photos/{quote(photo['photo_id'], safe='/')}"
        record = client.get(record_url)
        assert record.json()["photo_id"] == photo["photo_id"], record_url
        assert {name: record.json()[name] for name in photo} == photo
        image = client.get(photo["image_url"])
        assert hashlib.sha256(image.content).hexdigest() == photo["sha256"], photo["image_url"]
        assert client.get(f"{record_url}?view=image").content == image.content
        thumbnail = client.get(photo["thumbnail_url"])
        assert thumbnail.headers["content-type"] == "image/jpeg", photo["thumbnail_url"]
        assert client.get(f"{record_url}?view=thumbnail").headers["etag"] == thumbnail.headers["etag"]
        near = client.get(f"{record_url}?view=similar&k=200").json()["results"]
        assert {hit["photo_id"] for hit in near} == listed.keys() - {photo["photo_id"]}
        assert all(hit["image_url"] == listed[hit["photo_id"]]["image_url"] for hit in near)
        escaped = f"{base}/photos/{quote(photo['photo_id'], safe='')}"
        assert client.get(escaped).json()["photo_id"] == photo["photo_id"]


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory, tiny_bundle_dir: Path) -> Iterator[Odd]:
    folder = tmp_path_factory.mktemp("odd")
    index = build(folder, ODD_IDS, tiny_bundle_dir)
    service = Settings(index=index, bundle=tiny_bundle_dir, threads=1, online_dir=folder / "online")
    proxy = ReverseProxy(create_app(service), "")
    with TestClient(proxy) as client:
        yield proxy, client, folder


@pytest.mark.parametrize("base", ["/v1", "/v1/galleries/default"])
@pytest.mark.parametrize("prefix", ["", "/inkseek"])
def test_every_photo_of_odd_ids_is_reached(odd: Odd, prefix: str, base: str) -> None:
    proxy, client, folder = odd
    proxy.prefix, proxy.headers = prefix, {"X-Forwarded-Prefix": prefix} if prefix else {}
    expect_reached(client, folder, prefix + base, ODD_IDS)


def test_an_id_wins_over_a_suffix(odd: Odd) -> None:
    proxy, client, _ = odd
    proxy.prefix, proxy.headers = "", {}
    for suffix in SUFFIXES:
        assert client.get(f"/v1/photos/cup{suffix}").json()["photo_id"] == f"cup{suffix}"
    # `-` has no namesake: its pictures have the paths that all pictures have.
    record = client.get("/v1/photos/-").json()
    assert (record["image_url"], record["thumbnail_url"]) == ("/v1/photos/-/image", "/v1/photos/-/thumbnail")
    cup = client.get("/v1/photos/cup").json()
    assert (cup["image_url"], cup["thumbnail_url"]) == ("/v1/photos/cup?view=image", "/v1/photos/cup?view=thumbnail")


def test_a_wrong_view_is_rejected(odd: Odd) -> None:
    proxy, client, _ = odd
    proxy.prefix, proxy.headers = "", {}
    for query in ("view=original", "viwe=image", "view=similar&k=0"):
        assert client.get(f"/v1/photos/cup?{query}").json()["code"] == "parameter_invalid", query
    assert len(client.get("/v1/photos/cup?view=similar&k=3").json()["results"]) == 3
    assert client.get("/v1/photos/none?view=image").json()["code"] == "photo_not_found"


PARTS = st.one_of(
    st.sampled_from(["image", "thumbnail", "similar", "a", "%2F", "v1", "photos", "search", "..."]),
    st.text(
        st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="/"), min_size=1, max_size=5
    ).filter(lambda part: part not in (".", "..")),
)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ids=st.lists(st.lists(PARTS, min_size=1, max_size=4).map("/".join), min_size=2, max_size=12))
def test_photos_of_any_ids_are_reached(
    tmp_path_factory: pytest.TempPathFactory, tiny_bundle_dir: Path, ids: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("any")
    index = build(folder, ids, tiny_bundle_dir)
    service = Settings(index=index, bundle=tiny_bundle_dir, threads=1, online_dir=folder / "online")
    # Through the proxy: the test client itself decodes a path twice.
    with TestClient(ReverseProxy(create_app(service), "")) as client:
        total = client.get("/v1/photos?limit=1").json()["total"]  # a build leaves ids out that it has, or cannot keep
        reachable = [photo["photo_id"] for photo in client.get("/v1/photos?limit=200").json()["photos"]]
        assert len(reachable) == total
        expect_reached(client, folder, "/v1", reachable)
