"""Archives made of a service that runs and restored onto one; a restore killed wherever it touches the disk."""

from __future__ import annotations

import json
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from index_builder.artifact import GalleryIndex, layout
from index_builder.build import BuildRequest, build_index
from inkseek import app
from models.adapters import Adaptation
from models.bundle import add_adaptation
from tests.contract.test_commands import clean_environment, serving
from tests.contract.waiting import until

PHOTOS = 12


@dataclass(frozen=True)
class Shop:
    """A gallery of noise, each photo of which is found by itself, and the folders of a service."""

    gallery: Path
    index: Path
    bundle: Path

    @property
    def options(self) -> list[str]:
        return ["--index", str(self.index), "--bundle", str(self.bundle)]

    def sketch(self, number: int) -> bytes:
        return (self.gallery / f"{number:02d}.png").read_bytes()

    def build(self) -> str:
        return build_index(BuildRequest(photos=self.gallery, out=self.index, bundle=self.bundle, keep=1)).version


@pytest.fixture
def shop(tmp_path: Path, tiny_bundle_dir: Path) -> Shop:
    rng = np.random.default_rng(0)
    (tmp_path / "gallery").mkdir()
    for number in range(PHOTOS):
        strokes = np.where(rng.random((32, 32, 1)) < 0.3, 0, 255).repeat(3, axis=2).astype(np.uint8)
        Image.fromarray(strokes).save(tmp_path / "gallery" / f"{number:02d}.png")
    shutil.copytree(tiny_bundle_dir, tmp_path / "bundle")
    add_adaptation(tmp_path / "bundle", Adaptation.untrained(192))
    shop = Shop(tmp_path / "gallery", tmp_path / "index", tmp_path / "bundle")
    shop.build()
    return shop


def inkseek(*arguments: str) -> Any:
    """A command's JSON document; the services that it meets are other processes."""
    done = CliRunner().invoke(app, [*arguments, "--json"])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def found(client: httpx.Client, sketch: bytes) -> list[tuple[str, float]]:
    answer = client.post("/v1/search?k=5", content=sketch)
    assert answer.status_code == 200, answer.text
    return [(result["photo_id"], round(result["score"], 4)) for result in answer.json()["results"]]


def put(client: httpx.Client, photo_id: str, data: bytes) -> None:
    answer = client.put(f"/v1/photos/{photo_id}", content=data)
    assert answer.status_code in (200, 201), answer.text


def adapt(client: httpx.Client, shop: Shop) -> str:
    files = [(part, shop.sketch(number)) for part in ("sketch", "photo") for number in (1, 2)]
    answer = client.post("/v1/categories/new/adapters?force=true", files=files)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["adapter_id"])


@pytest.mark.timeout(300)
def test_made_while_somebody_writes_and_restored_elsewhere(shop: Shop, tmp_path: Path) -> None:
    """What was answered before the archive was begun is in it; what comes meanwhile is in it whole, or not at all."""
    stop, count = threading.Event(), 0
    with serving(shop.options) as (address, _), httpx.Client(base_url=address, timeout=30) as client:
        adapter = adapt(client, shop)
        put(client, "up/first.png", shop.sketch(3))

        def write() -> None:
            nonlocal count
            with httpx.Client(base_url=address, timeout=30) as writer:
                while not stop.is_set():
                    put(writer, f"up/{count}.png", shop.sketch(count % PHOTOS))
                    count += 1

        writer = threading.Thread(target=write)
        writer.start()
        try:
            until(lambda: count > 2)
            known = count
            made = inkseek("backup", "create", str(tmp_path / "backup.tar"), *shop.options[:2])
        finally:
            stop.set()
            writer.join()
    assert inkseek("backup", "verify", str(tmp_path / "backup.tar"))["bytes"] == made["bytes"]

    target = Shop(shop.gallery, tmp_path / "elsewhere" / "index", shop.bundle)
    inkseek("backup", "restore", str(tmp_path / "backup.tar"), *target.options)
    with serving(target.options) as (address, _), httpx.Client(base_url=address, timeout=30) as client:
        ids = {photo["photo_id"] for photo in client.get("/v1/photos?limit=500").json()["photos"]}
        assert {"up/first.png", *(f"up/{number}.png" for number in range(known))} <= ids
        for photo_id in ids:
            assert client.get(f"/v1/photos/{photo_id}/image").status_code == 200
        listed = client.get("/v1/categories/new/adapters").json()
        assert listed["active"] == adapter
        assert client.post("/v1/search?category=new", content=shop.sketch(1)).json()["adapter_id"] == adapter


def change_everything(client: httpx.Client, shop: Shop) -> None:
    """Other photos in the index, other photos online, no adapter any more."""
    for number in range(PHOTOS // 2):
        (shop.gallery / f"{number:02d}.png").rename(shop.gallery / f"{number:02d}.gone")
    second = shop.build()
    until(lambda: client.get("/v1/info").json()["index_version"] == second)
    put(client, "up/later.png", shop.sketch(8))
    assert client.delete("/v1/photos/up/kept.png").status_code == 204
    assert client.post("/v1/categories/new/adapters:rollback").status_code == 200
    for number in range(PHOTOS // 2):
        (shop.gallery / f"{number:02d}.gone").rename(shop.gallery / f"{number:02d}.png")


@contextmanager
def asking(address: str, sketch: bytes) -> Iterator[list[int]]:
    """The statuses of searches that follow on each other until the block is left."""
    stop, statuses = threading.Event(), list[int]()

    def ask() -> None:
        with httpx.Client(base_url=address, timeout=30) as client:
            while not stop.is_set():
                statuses.append(client.post("/v1/search", content=sketch).status_code)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield statuses
    finally:
        stop.set()
        thread.join()


@pytest.mark.timeout(300)
def test_restored_onto_a_service_that_answers_all_the_time(shop: Shop, tmp_path: Path) -> None:
    archive = str(tmp_path / "backup.tar")
    with (
        serving(shop.options, INKSEEK_INDEX_POLL_S="0.05") as (address, process),
        httpx.Client(base_url=address, timeout=30) as client,
    ):
        put(client, "up/kept.png", shop.sketch(3))
        adapter = adapt(client, shop)
        assert client.delete("/v1/photos/05.png").status_code == 204
        first = client.get("/v1/info").json()["index_version"]
        expected = [found(client, shop.sketch(number)) for number in range(PHOTOS)]
        inkseek("backup", "create", archive, *shop.options[:2])

        change_everything(client, shop)
        assert [found(client, shop.sketch(number)) for number in range(PHOTOS)] != expected

        with asking(address, shop.sketch(8)) as statuses:
            until(lambda: bool(statuses))
            restored = inkseek("backup", "restore", archive, *shop.options, "--replace")
            version = restored["galleries"]["default"]["index_version"]
            until(lambda: client.get("/v1/info").json()["index_version"] == version)
        assert set(statuses) == {200} and process.poll() is None
        assert layout.version_digest(version) == layout.version_digest(first)
        assert [found(client, shop.sketch(number)) for number in range(PHOTOS)] == expected
        assert client.get("/v1/categories/new/adapters").json()["active"] == adapter
        assert client.get("/v1/photos/up/kept.png/image").content == shop.sketch(3)
        assert client.get("/v1/photos/up/later.png").status_code == client.get("/v1/photos/05.png").status_code == 404
        put(client, "up/more.png", shop.sketch(9))  # and it goes on from there
        assert "up/more.png" in {name for name, _ in found(client, shop.sketch(9))}


# Kills itself with the n-th thing that it does to the disk, and says so where there were fewer: Python reports each to
# audit hooks before it is done. Forked, so that nothing has to be loaded anew.
KILLED_AT = """
import os, signal, sys
from pathlib import Path
from typer.testing import CliRunner
from inkseek import app

events = {"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "sqlite3.connect", "fcntl.flock", "shutil.rmtree"}
arguments = sys.argv[1:]
for line in sys.stdin:
    child = os.fork()
    if child == 0:
        left = int(line)
        def hook(event, _):
            global left
            if event in events:
                left -= 1
                if left < 0:
                    os.kill(os.getpid(), signal.SIGKILL)
        sys.addaudithook(hook)
        result = CliRunner().invoke(app, arguments)
        os._exit(result.exit_code)
    _, status = os.waitpid(child, 0)
    os.write(1, f"{os.waitstatus_to_exitcode(status)}\\n".encode())
"""


@pytest.fixture
def archives(shop: Shop, tmp_path: Path) -> tuple[Path, str, str]:
    """An archive of a first state; the service's folders in a second one; the adapters of both."""
    with serving(shop.options) as (address, _), httpx.Client(base_url=address, timeout=30) as client:
        then = adapt(client, shop)
        inkseek("keys", "create", "ada", *shop.options[:2], "--online-dir", str(tmp_path))
        options = [*shop.options[:2], "--keys-file", str(tmp_path / "keys.json")]
        inkseek("backup", "create", str(tmp_path / "backup.tar"), *options)
        now = adapt(client, shop)
    (shop.gallery / "00.png").unlink()
    shop.build()
    return tmp_path / "backup.tar", then, now


def state_of(index: Path) -> tuple[int, str, bool]:
    """Photos, active adapter, whether there is a key: read as a service that starts reads them."""
    loaded = GalleryIndex.load(index)
    assert loaded.problems() == []
    count = loaded.count
    loaded.close()
    with closing(sqlite3.connect(index / "online" / "online.sqlite")) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        query = "SELECT adapter_id FROM adapters JOIN activations ON adapter = number ORDER BY sequence DESC LIMIT 1"
        (adapter,) = database.execute(query).fetchone()
    keys = index / "online" / "keys.json"
    return count, adapter, keys.exists() and len(json.loads(keys.read_text())["keys"]) == 1


@pytest.mark.timeout(600)
def test_killed_wherever_it_touches_the_disk(shop: Shop, archives: tuple[Path, str, str], tmp_path: Path) -> None:
    archive, then, now = archives
    old, new = (PHOTOS - 1, now, False), (PHOTOS, then, True)
    assert state_of(shop.index) == old
    shutil.copytree(shop.index, tmp_path / "second")
    command = ["backup", "restore", str(archive), *shop.options, "--replace"]
    seen = set()
    with subprocess.Popen(
        [sys.executable, "-c", KILLED_AT, *command],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=clean_environment(),
    ) as process:  # fmt: skip
        assert process.stdin is not None and process.stdout is not None
        step = moment = 0
        while True:
            process.stdin.write(f"{moment}\n")
            process.stdin.flush()
            ended = int(process.stdout.readline())
            state = state_of(shop.index)
            # Each part is the old one or the new one, and keys come last.
            assert all(part in pair for part, pair in zip(state, zip(old, new, strict=True), strict=True)), state
            seen.add(state)
            if ended == 0:
                break
            assert ended == -signal.SIGKILL
            if step % 3:  # or else the next one finds what this one had unpacked
                shutil.rmtree(shop.index)
                shutil.copytree(tmp_path / "second", shop.index)
            moment, step = moment + 1 + step % 5, step + 1
        process.stdin.close()
    assert state_of(shop.index) == new and {old, new} <= seen and moment > 40
    assert list((shop.index / "versions").glob(".*")) == list((shop.index / "online").glob(".restoring-*")) == []


@pytest.mark.parametrize("command", ["create", "restore"])
def test_a_full_disk_changes_nothing(shop: Shop, tmp_path: Path, command: str) -> None:
    """As far as a process can tell: no file of it may be larger than 8,000 bytes."""
    archive = tmp_path / "backup.tar"
    if command == "restore":
        inkseek("backup", "create", str(archive), *shop.options[:2])
    (shop.gallery / "00.png").unlink()
    version = shop.build()
    versions = layout.list_versions(shop.index)
    shutil.rmtree(layout.version_dir(shop.index, versions[0]))
    options = [*shop.options, "--replace"] if command == "restore" else shop.options[:2]
    arguments = ["backup", command, str(archive), *options, "--json"]
    program = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (8_000, 8_000));"
        "from inkseek import main; sys.exit(main())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        check=False, env=clean_environment(), capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 1, done.stdout + done.stderr
    assert json.loads(done.stdout)["error"] == "BackupUnwritable"
    assert "too large" in json.loads(done.stdout)["detail"]  # of a disk that is full, "No space left on device"
    assert layout.current_version(shop.index) == version
    assert GalleryIndex.load(shop.index).problems() == []
    assert [path.name for path in (shop.index / "versions").iterdir()] == [version]
    assert archive.exists() == (command == "restore")
    assert list(tmp_path.glob(".*")) == []
