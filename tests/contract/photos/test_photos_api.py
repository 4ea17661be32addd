"""The gallery over HTTP: records, pictures with their caching, more like this."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from starlette.testclient import TestClient

from index_builder.build import BuildRequest, build_index
from service.app import create_app
from service.config import Settings
from service.http.schemas.answers import SearchAnswer
from service.http.schemas.gallery import Categories, Photo


def test_record(client: TestClient, gallery_dir: Path) -> None:
    response = client.get("/v1/photos/wave form/3.png")
    assert response.status_code == 200
    photo = Photo.model_validate(response.json())
    assert (photo.photo_id, photo.category, photo.width, photo.height) == ("wave form/3.png", "wave form", 256, 256)
    assert photo.metadata == {"artist": "ada", "price": 30}
    assert photo.thumbnail_url == "/v1/photos/wave%20form/3.png/thumbnail"
    assert client.get(photo.thumbnail_url).status_code == 200
    assert client.get(photo.image_url).content == (gallery_dir / "wave form" / "3.png").read_bytes()


@pytest.mark.parametrize("route", ["", "/thumbnail", "/image", "/similar"])
@pytest.mark.parametrize("photo_id", ["box/99.png", "../photos.csv", "%2e%2e/photos.csv", "box", "/", "b\x00x"])
def test_no_such_photo(client: TestClient, photo_id: str, route: str) -> None:
    response = client.get(f"/v1/photos/{photo_id}{route}".replace("\x00", "%00"))
    assert response.status_code == 404
    assert response.json()["code"] in ("photo_not_found", "not_found")


def test_thumbnail_is_cached_and_revalidated(client: TestClient) -> None:
    response = client.get("/v1/photos/box/1.png/thumbnail")
    assert response.headers["content-type"] == "image/jpeg"
    assert response.headers["cache-control"] == "private, max-age=300"
    with Image.open(io.BytesIO(response.content)) as thumbnail:
        assert max(thumbnail.size) <= 256
    etag = response.headers["etag"]
    assert etag.startswith('"') and etag.endswith('"')

    for known in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        again = client.get("/v1/photos/box/1.png/thumbnail", headers={"if-none-match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    changed = client.get("/v1/photos/box/1.png/thumbnail", headers={"if-none-match": '"other"'})
    assert changed.content == response.content


def test_image_is_the_original_file(client: TestClient, gallery_dir: Path) -> None:
    response = client.get("/v1/photos/box/1.png/image")
    assert response.headers["content-type"] == "image/png"
    assert response.content == (gallery_dir / "box" / "1.png").read_bytes()
    again = client.get("/v1/photos/box/1.png/image", headers={"if-none-match": response.headers["etag"]})
    assert again.status_code == 304


def test_image_falls_back_to_the_thumbnail(make_settings: Callable[..., Settings], tmp_path: Path) -> None:
    """The gallery has moved away; or what lies there now is a link out of it."""
    root = tmp_path / "gallery"
    (root / "box").mkdir(parents=True)
    (tmp_path / "secret.png").write_bytes(b"secret")
    (root / "box" / "1.png").symlink_to(tmp_path / "secret.png")
    with TestClient(create_app(make_settings(gallery_root=root))) as client:
        for photo_id in ("box/1.png", "box/2.png"):
            image = client.get(f"/v1/photos/{photo_id}/image")
            assert image.content == client.get(f"/v1/photos/{photo_id}/thumbnail").content
            assert image.headers["content-type"] == "image/jpeg"


def test_a_format_that_browsers_cannot_show(tmp_path: Path, tiny_bundle_dir: Path, gallery_dir: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    with Image.open(gallery_dir / "box" / "1.png") as image:
        image.save(photos / "scan.tiff")
    shutil.copy(gallery_dir / "box" / "2.png", photos / "plain name & more.png")
    build_index(BuildRequest(photos=photos, out=tmp_path / "index", bundle=tiny_bundle_dir))
    settings = Settings(index=tmp_path / "index", bundle=tiny_bundle_dir, threads=1)
    with TestClient(create_app(settings)) as client:
        assert client.get("/v1/photos/scan.tiff/image").headers["content-type"] == "image/jpeg"
        similar = client.get("/v1/photos/scan.tiff/similar").json()["results"]
        assert [hit["category"] for hit in similar] == [""]
        assert client.get(similar[0]["image_url"]).headers["content-type"] == "image/png"


def test_similar_leaves_the_photo_out(client: TestClient) -> None:
    response = client.get("/v1/photos/cross/2.png/similar?k=200")
    assert response.status_code == 200
    answer = SearchAnswer.model_validate(response.json())
    assert len(answer.results) == 14
    assert "cross/2.png" not in [hit.photo_id for hit in answer.results]
    assert [hit.rank for hit in answer.results] == list(range(1, 15))

    few = client.get("/v1/photos/cross/2.png/similar?k=3&category=box&filter=price>0").json()["results"]
    assert len(few) == 3
    assert all(hit["category"] == "box" and hit["metadata"]["price"] > 0 for hit in few)
    assert client.get("/v1/photos/cross/2.png/similar?k=0").status_code == 422
    assert client.get("/v1/photos/cross/2.png/similar?category=bxo").json()["code"] == "unknown_category"


def test_categories(client: TestClient) -> None:
    answer = Categories.model_validate(client.get("/v1/categories").json())
    assert [(entry.category, entry.count) for entry in answer.categories] == [
        ("box", 5),
        ("cross", 5),
        ("wave form", 5),
    ]
    assert answer.total == 15
