"""The containers as ops run them: built, brought up with compose, asked, updated while serving, stopped.

Needs a Docker engine, so it is no part of the default run: `make docker-test`.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import pytest

ROOT = Path(__file__).resolve().parents[2]
DEMO_GALLERY = ROOT / "examples" / "gallery"
SKETCHES = ROOT / "examples" / "sketches"
SKETCH = SKETCHES / "mug-doodle.png"
PHOTOS = 60
ADDED_PHOTOS = 5
USER = "10001"

pytestmark = [pytest.mark.docker, pytest.mark.timeout(1800)]


def compose_command() -> list[str]:
    """`docker compose`, or the stand-alone binary where the plugin is not installed; skips without an engine."""
    if shutil.which("docker") is None:
        pytest.skip("no docker command on this machine")
    engine = subprocess.run(["docker", "version"], capture_output=True, text=True, check=False, timeout=60)
    if engine.returncode:
        pytest.skip(f"no Docker engine answers: {engine.stderr.strip()}")
    for command in (["docker", "compose"], ["docker-compose"]):
        if shutil.which(command[0]) is None:
            continue
        if subprocess.run([*command, "version"], capture_output=True, check=False).returncode == 0:
            return command
    pytest.skip("a Docker engine answers, but Compose is not installed")


def run(command: list[str], **environment: str) -> str:
    """What the command printed; AssertionError with all of its output when it fails."""
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | environment, capture_output=True, text=True, check=False, timeout=1500
    )
    assert done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
    return done.stdout.strip()


def wait_until(holds: Callable[[], bool], what: str, timeout_s: float) -> float:
    """Seconds until it held."""
    start = time.monotonic()
    while not holds():
        waited_s = time.monotonic() - start
        assert waited_s < timeout_s, f"not {what} after {waited_s:.0f} s"
        time.sleep(0.25)
    return time.monotonic() - start


@dataclass(frozen=True)
class Stack:
    """A compose project of its own: its gallery, its images (tag `test`), its volume, a free port."""

    command: list[str]
    project: str
    gallery: Path

    def compose(self, *arguments: str) -> str:
        return run(
            [*self.command, "-p", self.project, *arguments],
            GALLERY_DIR=str(self.gallery),
            GALLERY_MANIFEST="",
            SERVICE_PORT="0",
            IMAGE_TAG="test",
            SERVICE_MEMORY="512m",
        )

    @property
    def container(self) -> str:
        return self.compose("ps", "--all", "--quiet", "service")

    def inspect(self) -> dict[str, Any]:
        inspected: list[dict[str, Any]] = json.loads(run(["docker", "inspect", self.container]))
        return inspected[0]

    def healthy(self) -> bool:
        return bool(self.inspect()["State"]["Health"]["Status"] == "healthy")

    def inside(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["docker", "exec", self.container, *command], capture_output=True, text=True, check=False)

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=f"http://{self.compose('port', 'service', '8000')}", timeout=30)


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """Built, up and healthy; everything but the images is removed afterwards."""
    command = compose_command()
    with TemporaryDirectory() as folder:
        gallery = Path(folder)
        gallery.chmod(0o755)  # the container's user is another
        demo = photos_in(DEMO_GALLERY)
        for photo in demo[:: len(demo) // PHOTOS][:PHOTOS]:
            add_photo(gallery, photo)
        yield from serving(Stack(command, f"inkseek-test-{os.getpid()}", gallery))


def serving(stack: Stack) -> Iterator[Stack]:
    try:
        stack.compose("build")
        stack.compose("up", "--detach")
        wait_until(stack.healthy, "healthy", timeout_s=120)
        yield stack
    except AssertionError:
        print(stack.compose("logs"))
        raise
    finally:
        stack.compose("down", "--volumes", "--timeout", "5")


def photos_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix in {".png", ".jpg"})


def add_photo(gallery: Path, photo: Path) -> None:
    target = gallery / photo.relative_to(DEMO_GALLERY)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(photo, target)


def post_sketch(client: httpx.Client, sketch: Path = SKETCH) -> httpx.Response:
    return client.post("/v1/search", files={"sketch": sketch.read_bytes()}, params={"k": 10})


def test_sketches_are_answered_as_without_containers(stack: Stack, tmp_path: Path) -> None:
    inkseek = [sys.executable, "-m", "inkseek"]
    run([*inkseek, "index", "build", "--photos", str(stack.gallery), "--out", str(tmp_path / "index")])
    with stack.client() as client:
        for sketch in SKETCHES.glob("*-doodle.png"):
            answer = post_sketch(client, sketch)
            assert answer.status_code == 200, answer.text
            results = answer.json()["results"]
            command = [*inkseek, "search", str(sketch), "--index", str(tmp_path / "index"), "-k", "10", "--json"]
            expected = json.loads(run(command))["results"]
            assert len(results) == 10
            assert [result["photo_id"] for result in results] == [result["photo_id"] for result in expected]
            scores = [result["score"] for result in expected]
            assert [result["score"] for result in results] == pytest.approx(scores, abs=1e-4)


def test_photos_and_the_page_are_served(stack: Stack) -> None:
    with stack.client() as client:
        first = post_sketch(client).json()["results"][0]
        assert client.get(first["thumbnail_url"]).headers["content-type"] == "image/jpeg"
        assert client.get(first["image_url"]).content == (stack.gallery / first["photo_id"]).read_bytes()
        assert client.get("/").headers["content-type"].startswith("text/html")


def test_the_service_runs_as_nobody_on_a_root_that_nobody_can_write(stack: Stack) -> None:
    assert stack.inside("id", "-u").stdout.strip() == USER
    for path in ("/probe", "/opt/inkseek/probe", "/data/index/probe", "/gallery/probe"):
        assert stack.inside("touch", path).returncode != 0, f"{path} can be written"
    for path in ("/tmp/probe", "/data/online/probe"):
        assert stack.inside("touch", path).returncode == 0, f"{path} cannot be written"
    capabilities = stack.inside("grep", "CapEff", "/proc/1/status").stdout.split()[1]
    assert int(capabilities, 16) == 0
    assert stack.inside("grep", "NoNewPrivs", "/proc/1/status").stdout.split()[1] == "1"


@pytest.mark.parametrize("image", ["inkseek-service:test", "inkseek-index-builder:test"])
def test_images_hold_no_torch_and_name_a_numeric_user(stack: Stack, image: str) -> None:
    listing = "import importlib.metadata as m; print(*(d.name.lower() for d in m.distributions()))"
    names = run(["docker", "run", "--rm", "--network=none", "--entrypoint=python", image, "-c", listing]).split()
    assert {"inkseek", "onnxruntime", "faiss-cpu"} <= set(names)
    assert not {"torch", "onnx", "pytest"} & set(names)
    assert json.loads(run(["docker", "inspect", image]))[0]["Config"]["User"] == f"{USER}:{USER}"


def test_fifty_requests_fit_the_memory_limit(stack: Stack) -> None:
    with stack.client() as client, ThreadPoolExecutor(4) as pool:
        statuses = list(pool.map(lambda _: post_sketch(client).status_code, range(50)))
    assert statuses == [200] * 50
    inspected = stack.inspect()
    assert inspected["HostConfig"]["Memory"] == 512 * 2**20
    assert inspected["RestartCount"] == 0
    assert not inspected["State"]["OOMKilled"]


def test_the_gallery_is_updated_and_rolled_back_while_serving(stack: Stack) -> None:
    with stack.client() as client, ThreadPoolExecutor(1) as pool:

        def search() -> Any:
            answer = post_sketch(client)
            assert answer.status_code == 200, answer.text
            return answer.json()

        def count() -> int:
            return int(client.get("/v1/categories").raise_for_status().json()["total"])

        first = search()["index_version"]
        assert count() == PHOTOS
        known = {path.relative_to(stack.gallery) for path in photos_in(stack.gallery)}
        new = [path for path in photos_in(DEMO_GALLERY) if path.relative_to(DEMO_GALLERY) not in known][:ADDED_PHOTOS]
        for photo in new:
            add_photo(stack.gallery, photo)
        build = pool.submit(stack.compose, "run", "--rm", "index_builder")
        while not build.done():
            search()
            time.sleep(0.2)
        build.result()
        wait_until(lambda: search()["index_version"] != first, "serving the new version", timeout_s=60)
        assert count() == PHOTOS + ADDED_PHOTOS
        assert client.get(f"/v1/photos/{new[0].relative_to(DEMO_GALLERY).as_posix()}").status_code == 200

        stack.compose("run", "--rm", "index_builder", "index", "rollback", "--index", "/data/index")
        wait_until(lambda: search()["index_version"] == first, "serving the version before", timeout_s=60)
        assert count() == PHOTOS


def test_it_stops_at_once_when_told_and_starts_again(stack: Stack) -> None:
    start = time.monotonic()
    stack.compose("stop", "--timeout", "20", "service")
    assert time.monotonic() - start < 10
    assert stack.inspect()["State"]["ExitCode"] in {0, 143}  # 137: it had to be killed
    run(["docker", "start", stack.container])  # `compose start` would run the builder again
    wait_until(stack.healthy, "healthy again", timeout_s=60)
