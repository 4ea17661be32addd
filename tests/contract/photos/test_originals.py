"""Originals that have moved, may not be read, or change while they are sent."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from index_builder.build import BuildRequest, build_index
from service.app import create_app
from service.config import Settings
from tests.end_to_end.page.conftest import serving

MakeSettings = Callable[..., Settings]
REASON = "x-inkseek-thumbnail"
BIG = (2600, 2600)
REQUEST = b"GET /v1/photos/box/big.png/image HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


@pytest.fixture
def photos(tmp_path: Path, gallery_dir: Path) -> Path:
    root = tmp_path / "photos"
    shutil.copytree(gallery_dir / "box", root / "box")
    shutil.copy(root / "box" / "0.png", root / "box" / "no extension")
    with Image.open(root / "box" / "0.png") as image:
        image.save(root / "box" / "scan.tiff")
        # Noise does not compress: the file is larger than what a socket's buffers take.
        Image.frombytes("RGB", BIG, os.urandom(BIG[0] * BIG[1] * 3)).save(root / "box" / "big.png", compress_level=0)
    return root


@pytest.fixture
def settings(photos: Path, tiny_bundle_dir: Path, tmp_path: Path) -> Settings:
    build_index(BuildRequest(photos=photos, out=tmp_path / "index", bundle=tiny_bundle_dir, follow_links=True))
    return Settings(index=tmp_path / "index", bundle=tiny_bundle_dir, threads=1, online_dir=tmp_path / "online")


def expect_thumbnail(client: TestClient, photo_id: str, reason: str) -> None:
    image = client.get(f"/v1/photos/{photo_id}/image")
    thumbnail = client.get(f"/v1/photos/{photo_id}/thumbnail")
    assert (image.status_code, image.content, image.headers[REASON]) == (200, thumbnail.content, reason)
    assert REASON not in thumbnail.headers  # it stands for nothing else
    assert image.headers["cache-control"] == "private, max-age=300"
    again = client.get(f"/v1/photos/{photo_id}/image", headers={"if-none-match": image.headers["etag"]})
    assert (again.status_code, again.headers[REASON]) == (304, reason)


def test_photos_that_have_moved_are_said_to_be_missing(
    settings: Settings, photos: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    moved = photos.rename(tmp_path / "moved")
    with TestClient(create_app(settings)) as client:
        assert len([line for line in caplog.messages if f"missing in {photos}" in line]) == 1
        assert client.get("/v1/info").json()["originals"] == "missing"
        expect_thumbnail(client, "box/1.png", "missing")
        caplog.clear()
        moved.rename(photos)  # mounted late
        assert client.get("/v1/info").json()["originals"] == "present"
        image = client.get("/v1/photos/box/1.png/image")
        assert image.content == (photos / "box" / "1.png").read_bytes()
        assert REASON not in image.headers
    with TestClient(create_app(settings.model_copy(update={"gallery_root": photos}))) as client:
        assert not [line for line in caplog.messages if "originals" in line or "original photos" in line]


def test_some_that_are_gone_are_partly_missing(
    settings: Settings, photos: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for photo in sorted((photos / "box").glob("?.png"))[:3]:
        photo.unlink()
    with TestClient(create_app(settings)) as client:
        assert client.get("/v1/info").json()["originals"] == "partial"
        assert [line for line in caplog.messages if "partly missing" in line]
        expect_thumbnail(client, "box/0.png", "missing")


def test_a_file_whose_content_cannot_be_read_is_its_thumbnail(settings: Settings, photos: Path) -> None:
    (photos / "box" / "1.png").unlink()
    (photos / "box" / "1.png").symlink_to("/proc/self/clear_refs")  # a regular file; reading it is an error
    with TestClient(create_app(settings)) as client:
        expect_thumbnail(client, "box/1.png", "unreadable")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
@pytest.mark.parametrize("locked", ["box/1.png", "box"])
def test_files_and_folders_without_permission_are_thumbnails(settings: Settings, photos: Path, locked: str) -> None:
    (photos / locked).chmod(0)
    try:
        with TestClient(create_app(settings)) as client:
            expect_thumbnail(client, "box/1.png", "unreadable" if locked != "box" else "missing")
            if locked == "box":
                assert client.get("/v1/info").json()["originals"] == "unreadable"
    finally:
        (photos / locked).chmod(0o755)


def test_the_content_says_what_an_original_is(settings: Settings, photos: Path) -> None:
    with TestClient(create_app(settings)) as client:
        image = client.get("/v1/photos/box/no extension/image")
        assert (image.headers["content-type"], image.content) == (
            "image/png",
            (photos / "box" / "no extension").read_bytes(),
        )
        expect_thumbnail(client, "box/scan.tiff", "format")
        (photos / "box" / "2.png").write_bytes(b"<script>alert(1)</script>")
        expect_thumbnail(client, "box/2.png", "format")
        (photos / "box" / "3.png").write_bytes(b"")
        expect_thumbnail(client, "box/3.png", "format")


def test_head_ranges_and_tags_of_an_original(settings: Settings, photos: Path) -> None:
    content = (photos / "box" / "1.png").read_bytes()
    url = "/v1/photos/box/1.png/image"
    with TestClient(create_app(settings)) as client:
        whole = client.get(url)
        head = client.head(url)
        assert {name: whole.headers[name] for name in ("content-length", "etag", "content-type", "cache-control")} == {
            name: head.headers[name] for name in ("content-length", "etag", "content-type", "cache-control")
        }
        part = client.get(url, headers={"range": "bytes=10-19"})
        assert (part.status_code, part.content) == (206, content[10:20])
        assert part.headers["content-range"] == f"bytes 10-19/{len(content)}"
        last = client.get(url, headers={"range": "bytes=-7", "if-range": whole.headers["etag"]})
        assert (last.status_code, last.content) == (206, content[-7:])
        changed = client.get(url, headers={"range": "bytes=0-3", "if-range": '"other"'})
        assert (changed.status_code, changed.content) == (200, content)
        both = client.get(url, headers={"range": "bytes=0-3,8-9"})
        assert both.status_code == 206 and both.headers["content-type"].startswith("multipart/byteranges")
        beyond = client.get(url, headers={"range": f"bytes={len(content)}-"})
        assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{len(content)}")
        # Another file under the name has another tag.
        os.utime(photos / "box" / "1.png", (1, 1))
        assert client.get(url, headers={"if-none-match": whole.headers["etag"]}).status_code == 200
        kept = len(list(Path("/proc/self/fd").iterdir()))
        for _ in range(20):
            client.get(url, headers={"if-none-match": whole.headers["etag"]})
            client.get(url, headers={"if-none-match": client.get(url).headers["etag"]})
        assert len(list(Path("/proc/self/fd").iterdir())) < kept + 10  # each was closed again


@pytest.mark.parametrize("change", ["shorter", "longer", "replaced"])
def test_a_file_that_changes_while_it_is_sent(settings: Settings, photos: Path, tmp_path: Path, change: str) -> None:
    """The client gets the file that it was promised, or a connection that ends too early; never a mixture."""
    path = photos / "box" / "big.png"
    content = path.read_bytes()
    with serving(create_app(settings)) as url:
        port = int(url.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
            connection.sendall(REQUEST)
            received = connection.recv(1000)  # the rest waits until this client reads on
            if change == "shorter":
                os.truncate(path, 300)
            elif change == "longer":
                with path.open("ab") as file:
                    file.write(b"x" * 10_000)
            else:
                (tmp_path / "other").write_bytes(b"y" * len(content))
                (tmp_path / "other").replace(path)
            while piece := connection.recv(1 << 20):
                received += piece
        head, _, body = received.partition(b"\r\n\r\n")
        assert f"content-length: {len(content)}".encode() in head.lower()
        if change == "shorter":
            assert len(body) < len(content)
            assert body == content[: len(body)]
        else:
            assert body == content
        with TestClient(create_app(settings)) as client:
            assert client.get("/livez").status_code == 200
