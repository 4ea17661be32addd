"""A build over two real Ray nodes on this machine, photos in S3; one worker and then one node are killed in the middle.

`make ray-test` installs Ray and runs this; without Ray it is skipped.
"""

from __future__ import annotations

import io
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from index_builder.artifact import GalleryIndex
from index_builder.build import BuildRequest, build_index
from tests.unit.index_builder.files.s3_server import Bucket

pytestmark = pytest.mark.ray
ray = pytest.importorskip("ray", reason="Ray is not installed (make ray-test installs it)")

PHOTOS, PARTITION = 96, 8
DEADLINE_S = 240
MARK = "RAY_TEST_FOLDER"  # in the environment of every process of a cluster

# Between two partitions the build waits where the test kills something.
BUILD = """
import json, sys, time
from pathlib import Path
from index_builder.build import BuildRequest, build_index

photos, out, bundle, partition = sys.argv[1:]
shown = set()

def progress(stage, done, total):
    if stage != "photos" or done in shown:
        return
    shown.add(done)
    if len(shown) not in (2, 4):
        return
    import ray
    while ray.available_resources().get("CPU", 0):  # until each node has a worker that is at work
        time.sleep(0.1)
    print(json.dumps({"done": done, "total": total}), file=sys.__stdout__, flush=True)
    sys.stdin.readline()

result = build_index(
    BuildRequest(photos, Path(out), bundle=bundle, partition_photos=int(partition), engine="ray"), progress
)
print(json.dumps({"embedded": result.manifest.build.embedded, "seconds": result.manifest.build.seconds}), flush=True)
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def children_of(pid: int) -> Iterator[tuple[int, str]]:
    """(pid, command line) of the processes whose parent is `pid`."""
    for folder in Path("/proc").iterdir():
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == pid:
                yield int(folder.name), (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except (OSError, ValueError, IndexError):
            continue  # no process, or one that has just ended


def processes_of(folder: str, program: str = "") -> list[int]:
    """Processes that a node of the cluster in `folder` started, by what they inherited: of a program, or all."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            mine = f"{MARK}={folder}".encode() in (entry / "environ").read_bytes().split(b"\0")
            command = (entry / "cmdline").read_bytes().split(b"\0")[0].decode()
        except OSError:
            continue
        if mine and entry.name.isdigit() and command.endswith(program):
            found.append(int(entry.name))
    return found


def command_of(pid: int) -> str:
    """Its command line; empty where it is dead, or a zombie."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode()
    except OSError:
        return ""


def is_dead(pid: int) -> bool:
    return not command_of(pid)


def awaited(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.1)


@pytest.fixture
def nodes(s3: Bucket, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """The raylets of a head and of a second node, with one CPU each."""
    program, port = str(Path(sys.executable).with_name("ray")), free_port()
    # A busy machine takes longer than Ray's 30 s; where agents have fixed ports, nobody waits for them to name theirs.
    environment = {**os.environ, "RAY_raylet_start_wait_time_s": "120", "RAY_agent_register_timeout_ms": "120000"}
    agents = ("dashboard-agent-grpc", "dashboard-agent-listen", "runtime-env-agent", "metrics-export")
    with tempfile.TemporaryDirectory(prefix="r") as folder:  # sockets have short paths
        environment[MARK] = folder
        children: list[int] = []

        def start(*options: str) -> None:
            ports = [f"--{agent}-port={free_port()}" for agent in agents]
            common = ["--num-cpus=1", "--object-store-memory=100000000", "--disable-usage-stats", *ports]
            with (Path(folder) / "start.log").open("ab") as log:
                subprocess.run(
                    [program, "start", *options, *common],
                    env=environment,
                    check=True,
                    stdout=log,
                    stderr=log,
                    timeout=180,
                )

        try:
            start("--head", f"--port={port}", "--include-dashboard=false", f"--temp-dir={folder}")
            (head,) = processes_of(folder, "/raylet")
            start(f"--address=127.0.0.1:{port}")
            (second,) = set(processes_of(folder, "/raylet")) - {head}
            monkeypatch.setenv("RAY_ADDRESS", f"127.0.0.1:{port}")
            children += [pid for node in (head, second) for pid, _ in children_of(node)]
            yield [head, second]
        finally:
            # Monitors and agents outlive the raylets; agents overwrite the environment that they inherited.
            for pid in {*processes_of(folder), *(pid for pid in children if command_of(pid).startswith("ray::"))}:
                os.kill(pid, signal.SIGKILL)
            awaited(lambda: not processes_of(folder))


def photo(number: int) -> bytes:
    buffer = io.BytesIO()
    cells = np.random.default_rng(number).integers(0, 255, (6, 6, 3), dtype=np.uint8)
    Image.fromarray(cells).resize((48, 48)).save(buffer, "JPEG")
    return buffer.getvalue()


def content_of(out: Path) -> tuple[list[tuple[str, str]], np.ndarray]:
    index = GalleryIndex.load(out)
    assert index.problems() == []
    photos = [(record.photo_id, record.sha256) for record in index.records()]
    vectors = np.array(index.vectors_of(np.arange(index.count)))
    index.close()
    return photos, vectors


@pytest.mark.timeout(600)
def test_a_killed_worker_and_a_killed_node_lose_nothing(
    nodes: list[int], s3: Bucket, tmp_path: Path, tiny_bundle_dir: Path
) -> None:
    for number in range(PHOTOS):
        s3.put(f"photos/c{number % 3}/{number:03d}.jpg", photo(number))
    s3.put("photos/broken.jpg", b"no photo")
    url = "s3://gallery/photos"
    local = build_index(BuildRequest(url, tmp_path / "local", bundle=tiny_bundle_dir)).manifest
    command = [sys.executable, "-c", BUILD, url, str(tmp_path / "ray"), str(tiny_bundle_dir), str(PARTITION)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as build:
        assert build.stdin is not None
        assert build.stdout is not None
        head, second = nodes
        for victim in ("worker", "node"):
            reached = json.loads(build.stdout.readline())
            assert reached["done"] < PHOTOS - 2 * PARTITION, "there is nothing left to lose"
            workers = [pid for pid, name in children_of(head) if name.startswith("ray::PartitionWriter")]
            (pid,) = workers if victim == "worker" else [second]
            os.kill(pid, signal.SIGKILL)
            awaited(partial(is_dead, pid))
            build.stdin.write("go on\n")
            build.stdin.flush()
        result = json.loads(build.stdout.readline())
        assert build.wait(DEADLINE_S) == 0
    print(json.dumps({"local_s": local.build.seconds, "ray_s": result["seconds"]}))
    assert result["embedded"] == local.build.embedded == PHOTOS
    (photos, vectors), (others, expected) = content_of(tmp_path / "ray"), content_of(tmp_path / "local")
    assert photos == others
    assert len(photos) == PHOTOS
    np.testing.assert_allclose(vectors, expected, atol=1e-6)
    assert not (tmp_path / "ray" / "partitions").exists()
