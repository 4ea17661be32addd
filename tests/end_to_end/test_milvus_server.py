"""The store, builds and a service over a real Milvus server, which dies and comes back; `make milvus-test`.

It takes the server at MILVUS_TEST_URI, which it cannot kill, or starts the one of the Python package `milvus`.
"""

from __future__ import annotations

import importlib.util
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw
from starlette.testclient import TestClient

from index_builder.artifact import GalleryIndex, MilvusServer, PhotoFilter, StoreUnavailable, layout
from index_builder.artifact.collection_check import collection_problems
from index_builder.build import BuildRequest, build_index, update_index
from index_builder.publish import rollback
from service.app import create_app
from service.config import Settings

ROOT = Path(__file__).resolve().parents[2]
STARTS_S = 120.0
PHOTOS = 40

pytestmark = pytest.mark.timeout(600)  # the server takes 20 s to start, and 3 s for each flush


@dataclass
class Standalone:
    """A Milvus server in a process of its own, over its own folder."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers; skips with the reason where it does not."""
        code = (
            "import sys, time; from milvus import MilvusServer; server = MilvusServer();"
            "server.set_base_dir(sys.argv[1]); server.listen_port = int(sys.argv[2]); server.start();"
            "print(server.server_proc.pid, flush=True); time.sleep(3600)"
        )
        log = (self.folder / "server.log").open("wb")
        self.process = subprocess.Popen(
            [sys.executable, "-c", code, str(self.folder), str(self.port)],
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        log.close()
        ends_at = time.monotonic() + STARTS_S
        while time.monotonic() < ends_at:
            if self.process.poll() is not None:
                break
            try:
                MilvusServer(self.uri, timeout_s=2.0).connect().close()
                return
            except StoreUnavailable:
                time.sleep(0.5)
        self.kill()
        pytest.skip(f"the Milvus server did not start: {(self.folder / 'server.log').read_text()[-300:]}")

    def kill(self) -> None:
        """End the server and what started it, at once."""
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None

    @property
    def uri(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@pytest.fixture(scope="module")
def standalone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standalone | None]:
    """The server of the package; None where MILVUS_TEST_URI names another one."""
    if os.environ.get("MILVUS_TEST_URI"):
        yield None
        return
    if importlib.util.find_spec("milvus") is None:
        pytest.skip("neither MILVUS_TEST_URI is set nor the server's package installed: make milvus-test")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = int(taken.getsockname()[1])
    server = Standalone(tmp_path_factory.mktemp("server"), port)
    try:
        server.start()
        yield server
    finally:
        server.kill()


@pytest.fixture
def server(standalone: Standalone | None) -> MilvusServer:
    if standalone is None:
        return MilvusServer(os.environ["MILVUS_TEST_URI"], os.environ.get("MILVUS_TEST_TOKEN", ""), timeout_s=30.0)
    return MilvusServer(standalone.uri, timeout_s=30.0)


@pytest.fixture
def request_(tmp_path: Path, tiny_bundle_dir: Path, server: MilvusServer) -> BuildRequest:
    photos = tmp_path / "photos"
    for number in range(PHOTOS):
        draw(photos / f"c{number % 2}" / f"{number}.png", number)
    return BuildRequest(photos, tmp_path / "index", bundle=tiny_bundle_dir, store="milvus", milvus=server, keep=1)


def draw(path: Path, number: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.new("RGB", (96, 96), "white")
    corners = np.random.default_rng(number).integers(4, 92, (4, 2))
    ImageDraw.Draw(image).line([tuple(corner) for corner in corners.tolist()], fill="black", width=4)
    image.save(path)


def assert_searches_as_files(request: BuildRequest, version: str) -> None:
    milvus = GalleryIndex.load(request.out, version=version, milvus=request.milvus)
    files = GalleryIndex.load(request.out, version=version)
    assert collection_problems(files, milvus) == []
    queries = files.vectors_of(np.arange(files.count))
    for where in (None, PhotoFilter(frozenset({"c1"}))):
        assert milvus.search(queries, 5, where=where) == files.search(queries, 5, where=where)
    milvus.close()
    files.close()


def collections(server: MilvusServer) -> set[str]:
    client = server.connect()
    names = {str(name) for name in client.list_collections() if name.startswith("inkseek_")}
    client.close()
    return names


def test_builds_updates_and_rollbacks_over_a_real_server(request_: BuildRequest, server: MilvusServer) -> None:
    before = collections(server)
    first = build_index(request_)
    assert_searches_as_files(request_, first.version)
    draw(Path(request_.photos) / "c1" / "new.png", 1_000)
    (Path(request_.photos) / "c1" / "1.png").unlink()
    second = update_index(replace(request_, store=None))
    assert second.manifest.collection == first.manifest.collection
    for version in (first.version, second.version):
        assert_searches_as_files(request_, version)
    assert rollback(request_.out, milvus=server) == (second.version, first.version)
    third = build_index(request_)
    fourth = build_index(request_)
    assert_searches_as_files(request_, fourth.version)
    assert collections(server) - before == {str(third.manifest.collection), str(fourth.manifest.collection)}


def test_a_build_and_an_update_that_are_killed_while_they_write_leave_nothing(
    request_: BuildRequest, server: MilvusServer, tiny_bundle_dir: Path
) -> None:
    others = collections(server)
    first = build_index(request_)
    out, name = request_.out, str(first.manifest.collection)
    command = [sys.executable, "-m", "inkseek", "index"]
    stores = ["--bundle", str(tiny_bundle_dir), "--store", "milvus", "--milvus-uri", server.uri]
    token = {"INKSEEK_MILVUS_TOKEN": server.token}

    def killed_once(holds: Callable[[], bool], *arguments: str) -> None:
        process = subprocess.Popen(
            [*command, *arguments, *stores], stdout=subprocess.DEVNULL, env={**os.environ, **token}, cwd=ROOT
        )
        ends_at = time.monotonic() + STARTS_S
        while not holds():
            assert process.poll() is None, f"{arguments[0]} ended with {process.returncode} before it was killed"
            assert time.monotonic() < ends_at, "it never began to write"
            time.sleep(0.02)
        process.kill()
        process.wait()
        assert_searches_as_files(request_, first.version)
        assert len(collections(server) - others) >= 1

    killed_once(
        lambda: len(collections(server) - others) > 1, "build", "--photos", str(request_.photos), "--out", str(out)
    )
    draw(Path(request_.photos) / "c1" / "new.png", 1_000)
    client = server.connect()
    killed_once(lambda: len(client.list_partitions(name)) > 2, "update", "--index", str(out))
    assert layout.current_version(out) == first.version
    second = update_index(request_)
    assert_searches_as_files(request_, second.version)
    assert collections(server) - others == {name}
    kept = {f"segment_{entry.name}" for version in (first, second) for entry in version.manifest.segments}
    assert set(client.list_partitions(name)) == {"_default", *kept}
    client.close()


def test_changes_are_sealed_into_the_collection_by_a_rebuild(
    request_: BuildRequest, server: MilvusServer, tiny_bundle_dir: Path, tmp_path: Path
) -> None:
    first = build_index(request_)
    draw(tmp_path / "put.png", 2_000)
    uploaded, deleted = (tmp_path / "put.png").read_bytes(), (Path(request_.photos) / "c0" / "0.png").read_bytes()
    settings = Settings(
        index=request_.out, bundle=tiny_bundle_dir, milvus_uri=server.uri, milvus_timeout_s=30.0, index_poll_s=0.2
    )

    def nearest(sketch: bytes) -> str:
        answer = client.post("/v1/search", content=sketch, headers={"content-type": "image/png"})
        assert answer.status_code == 200, answer.text
        return str(answer.json()["results"][0]["photo_id"])

    with TestClient(create_app(settings), raise_server_exceptions=False) as client:
        assert client.put("/v1/photos/c1/put.png", content=uploaded).status_code == 201
        assert client.delete("/v1/photos/c0/0.png").status_code == 204
        assert nearest(uploaded) == "c1/put.png"
        job = client.post("/v1/index:rebuild").json()
        ends_at = time.monotonic() + 2 * STARTS_S
        while client.get("/readyz").json().get("index_version") == first.version:
            assert time.monotonic() < ends_at, client.get(f"/v1/jobs/{job['job_id']}").text
            time.sleep(0.2)
        assert nearest(uploaded) == "c1/put.png"
        assert nearest(deleted) != "c0/0.png"
    sealed = layout.current_version(request_.out)
    assert_searches_as_files(request_, sealed)
    index = GalleryIndex.load(request_.out, version=sealed)
    assert index.manifest.collection == first.manifest.collection
    assert index.count == first.manifest.count
    index.close()


def test_a_service_is_red_while_the_server_is_dead_and_green_when_it_is_back(
    request_: BuildRequest, server: MilvusServer, standalone: Standalone | None, tiny_bundle_dir: Path
) -> None:
    if standalone is None:
        pytest.skip("the server of MILVUS_TEST_URI is not ours to kill")
    build_index(request_)
    sketch = (Path(request_.photos) / "c1" / "7.png").read_bytes()
    settings = Settings(
        index=request_.out, bundle=tiny_bundle_dir, milvus_uri=server.uri, milvus_timeout_s=3.0, canary_interval_s=0.5
    )

    def status(path: str) -> int:
        answer = client.get(path)
        return answer.status_code

    def search() -> tuple[int, str]:
        answer = client.post("/v1/search", content=sketch, headers={"content-type": "image/png"})
        document = answer.json()
        return answer.status_code, document["results"][0]["photo_id"] if answer.is_success else document["code"]

    def wait_for(path: str, expected: int) -> None:
        ends_at = time.monotonic() + STARTS_S
        while status(path) != expected:
            assert time.monotonic() < ends_at, client.get(path).text
            time.sleep(0.2)

    with TestClient(create_app(settings), raise_server_exceptions=False) as client:
        assert search() == (200, "c1/7.png")
        standalone.kill()
        assert search() == (503, "vectors_unavailable")
        wait_for("/readyz", 503)
        assert status("/v1/photos/c1/7.png/thumbnail") == 200
        standalone.start()
        wait_for("/readyz", 200)
        assert search() == (200, "c1/7.png")
