"""Originals of galleries that lie in an object store or in tars: answered by the service, or by a signed URL."""

from __future__ import annotations

import tarfile
import urllib.request
from pathlib import Path

import fsspec
import pytest
from fastapi.testclient import TestClient

from index_builder.build import BuildRequest, build_index
from service.app import create_app
from service.config import Settings
from tests.unit.index_builder.files.s3_server import Bucket
from tests.unit.service.originals.test_position import encoded, exif

REASON = "x-inkseek-thumbnail"


@pytest.fixture
def photos(tmp_path: Path, gallery_dir: Path) -> Path:
    root = tmp_path / "photos"
    (root / "box").mkdir(parents=True)
    for number in range(4):
        (root / "box" / f"{number}.png").write_bytes((gallery_dir / "box" / f"{number}.png").read_bytes())
    (root / "box" / "gps.jpg").write_bytes(encoded("JPEG", exif=exif()))
    return root


@pytest.fixture(params=["s3", "tar", "tar in s3"])
def settings(
    request: pytest.FixtureRequest, photos: Path, s3: Bucket, tmp_path: Path, tiny_bundle_dir: Path
) -> Settings:
    location: str | Path
    folder = photos
    if "tar" in request.param:
        folder = tmp_path / "tars"
        folder.mkdir()
        with tarfile.open(folder / "a.tar", "w") as tar:
            for path in sorted(photos.rglob("*.*")):
                tar.add(path, path.relative_to(photos).as_posix())
    location = s3.put_folder(folder, "gallery") if "s3" in request.param else folder
    location = f"{location}/a.tar" if "tar" in request.param else location
    out = tmp_path / "index"
    build_index(BuildRequest(location, out, bundle=tiny_bundle_dir))
    return Settings(index=out, bundle=tiny_bundle_dir, threads=1, online_dir=tmp_path / "online")


def test_originals_are_answered_without_where_they_were_taken(settings: Settings, photos: Path) -> None:
    with TestClient(create_app(settings)) as client:
        assert client.get("/v1/info").json()["originals"] == "present"
        image = client.get("/v1/photos/box/1.png/image")
        assert (image.status_code, image.headers["content-type"]) == (200, "image/png")
        assert image.content == (photos / "box" / "1.png").read_bytes()
        assert REASON not in image.headers
        again = client.get("/v1/photos/box/1.png/image", headers={"if-none-match": image.headers["etag"]})
        assert again.status_code == 304
        cleaned = client.get("/v1/photos/box/gps.jpg/image").content
        whole = (photos / "box" / "gps.jpg").read_bytes()
        assert len(cleaned) == len(whole)
        assert cleaned != whole


@pytest.mark.parametrize("settings", ["s3"], indirect=True)
def test_objects_that_are_gone_have_thumbnails(settings: Settings, s3: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    s3.delete("gallery/box/1.png")
    with TestClient(create_app(settings)) as client:
        image = client.get("/v1/photos/box/1.png/image")
        assert (image.status_code, image.headers[REASON]) == (200, "missing")
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
        monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        clients = fsspec.get_filesystem_class("s3")
        clients.clear_instance_cache()
        image = client.get("/v1/photos/box/2.png/image")
        clients.clear_instance_cache()
        assert (image.status_code, image.headers[REASON]) == (200, "unreadable")


@pytest.mark.parametrize("settings", ["s3"], indirect=True)
def test_a_signed_url_is_where_requests_go_on(settings: Settings, photos: Path) -> None:
    redirecting = settings.model_copy(update={"originals_redirect_s": 600})
    with TestClient(create_app(redirecting)) as client:
        answer = client.get("/v1/photos/box/1.png/image", follow_redirects=False)
        assert (answer.status_code, answer.headers["cache-control"]) == (307, "private, max-age=300")
        with urllib.request.urlopen(answer.headers["location"]) as object_:
            assert object_.read() == (photos / "box" / "1.png").read_bytes()


@pytest.mark.parametrize("settings", ["tar in s3"], indirect=True)
def test_members_of_tars_have_no_url_and_are_answered(settings: Settings, photos: Path) -> None:
    with TestClient(create_app(settings.model_copy(update={"originals_redirect_s": 600}))) as client:
        answer = client.get("/v1/photos/box/1.png/image", follow_redirects=False)
        assert (answer.status_code, answer.content) == (200, (photos / "box" / "1.png").read_bytes())


@pytest.mark.parametrize("settings", ["s3"], indirect=True)
def test_a_gallery_that_moved_into_a_store_is_found_by_its_url(settings: Settings, s3: Bucket, photos: Path) -> None:
    url = s3.put_folder(photos, "moved")
    for name in ("0.png", "1.png", "2.png", "3.png", "gps.jpg"):
        s3.delete(f"gallery/box/{name}")
    with TestClient(create_app(Settings(**{**settings.model_dump(), "gallery_root": url}))) as client:
        assert client.get("/v1/info").json()["originals"] == "present"
        assert REASON not in client.get("/v1/photos/box/1.png/image").headers
