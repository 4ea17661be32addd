"""What `/readyz` says when files vanish, and that no answer says where they were."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from service.app import create_app
from service.config import Settings

MakeSettings = Callable[..., Settings]


def until_ready_is(client: TestClient, status: int) -> str:
    deadline = time.monotonic() + 60
    while (response := client.get("/readyz")).status_code != status:
        assert time.monotonic() < deadline, response.text
        time.sleep(0.05)
    return response.text


@pytest.mark.parametrize("gone", ["versions", "segments", "current", "vectors"])
def test_red_when_files_of_the_index_vanish_and_green_again(
    make_settings: MakeSettings, index_dir: Path, tmp_path: Path, cross: bytes, gone: str
) -> None:
    index = tmp_path / "index"
    shutil.copytree(index_dir, index)
    with TestClient(create_app(make_settings(index=index, index_poll_s=0.05))) as client:
        until_ready_is(client, 200)
        lost = next(index.glob("segments/*/vectors.npy")) if gone == "vectors" else index / gone
        lost.rename(tmp_path / "away")
        red = until_ready_is(client, 503)
        assert "are gone" in red and str(tmp_path) not in red
        assert client.post("/v1/search", content=cross).status_code == 200  # what is open is still answered from
        (tmp_path / "away").rename(lost)
        until_ready_is(client, 200)


def test_search_goes_on_without_its_store_and_no_path_is_told(
    make_settings: MakeSettings,
    adaptable_bundle_dir: Path,
    tmp_path: Path,
    cross: bytes,
    support_form: Any,
) -> None:
    online = tmp_path / "online"
    online.mkdir()
    (online / "online.sqlite").mkdir()  # nothing that could be opened or written, whoever runs the test
    with TestClient(create_app(make_settings(bundle=adaptable_bundle_dir, online_dir=online))) as client:
        answer = client.post("/v1/search?category=cross", content=cross)
        assert (answer.status_code, answer.json()["results"][0]["photo_id"]) == (200, "cross/2.png")
        ready = client.get("/readyz")
        assert ready.status_code == 200 and "cannot be opened or read" in ready.json()["online_problem"]
        assert "corrupt" not in ready.text
        failed = client.post("/v1/categories/box/adapters", files=support_form())
        assert (failed.status_code, failed.json()["code"]) == (503, "online_unreadable")
        for response in (ready, failed, client.get("/v1/categories/box/adapters"), client.get("/v1/info")):
            assert str(tmp_path) not in response.text and str(adaptable_bundle_dir) not in response.text


def test_every_error_is_a_problem(client: TestClient) -> None:
    cases = [
        ("GET", "/nothing", {}, 404, None),
        ("GET", "/page/nothing.js", {}, 404, None),
        ("PUT", "/v1/search", {}, 405, "POST"),
        ("PATCH", "/v1/categories/box/adapters", {}, 405, "GET, HEAD, POST"),
        ("GET", "/v1/photos/box/1.png/image", {"range": "bytes=9999999-"}, 416, None),
        ("GET", "/v1/photos/box/1.png/image", {"range": "bytes=a-b"}, 400, None),
        ("GET", "/%0a10:00:00%20error%20forged", {}, 404, None),
    ]
    for method, path, headers, status, allow in cases:
        response = client.request(method, path, headers=headers)
        assert response.status_code == status, (path, response.text)
        assert response.headers["content-type"] == "application/problem+json", path
        assert response.json()["status"] == status
        assert response.headers.get("allow") == allow, path
