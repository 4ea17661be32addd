"""A real build, killed with SIGKILL at any moment: what was published stays whole, and the next build cleans up."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from index_builder.artifact import GalleryIndex, layout
from index_builder.build import BuildRequest, build_index

COUNT = 150

# Bytes of progress tell the test where the build is; the pauses widen the moments that it wants to hit. `until`: a
# stage that it does not begin, so that a test on a busy machine is not late with its signal.
BUILD = """
import sys, time
until = sys.argv[4]
from pathlib import Path
from index_builder.build import BuildRequest, build_index

def progress(stage, done, total):
    if stage == until:
        time.sleep(600)
    print(stage, done, flush=True)
    time.sleep(0.001 if stage == "photos" else 0.02)

build_index(BuildRequest(Path(sys.argv[1]), Path(sys.argv[2]), bundle=Path(sys.argv[3]), kind="hnsw", keep=2), progress)
"""


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("gallery")
    rng = np.random.default_rng(0)
    for position in range(COUNT):
        pixels = rng.integers(0, 255, (24, 24, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(root / f"{position:03d}.png")
    return root


def start(gallery: Path, out: Path, bundle: Path, until: str = "") -> subprocess.Popen[str]:
    command = [sys.executable, "-c", BUILD, str(gallery), str(out), str(bundle), until]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def is_whole(out: Path) -> str:
    index = GalleryIndex.load(out)
    assert index.problems() == []
    assert index.count == COUNT
    index.close()
    return index.version


@pytest.mark.timeout(300)  # six processes, one after the other
def test_killed_at_random_moments(gallery: Path, tmp_path: Path, tiny_bundle_dir: Path) -> None:
    out = tmp_path / "index"
    published = build_index(BuildRequest(gallery, out, bundle=tiny_bundle_dir)).version
    moments = random.Random(7)
    # During the photos, while the graph is built and measured, and around the swap.
    kills = [("photos", moments.randrange(COUNT)) for _ in range(3)] + [("index", 0), ("recall", 1), ("publish", 0)]
    for stage, done in kills:
        with start(gallery, out, tiny_bundle_dir, "" if stage == "publish" else "publish") as process:
            assert process.stdout is not None
            for line in process.stdout:
                if line.split() == [stage, str(done)]:
                    time.sleep(moments.random() * 0.03)
                    process.kill()
                    break
        now = is_whole(out)
        # Only a kill around the swap may find the new version published already (or the build at its end).
        if stage != "publish":
            assert process.returncode == -signal.SIGKILL
            assert now == published
        published = now
    last = build_index(BuildRequest(gallery, out, bundle=tiny_bundle_dir, keep=2)).version
    assert is_whole(out) == last
    assert not list((out / "versions").glob(".*"))
    assert len(layout.list_versions(out)) == 2


def test_two_builds_at_once(gallery: Path, tmp_path: Path, tiny_bundle_dir: Path) -> None:
    out = tmp_path / "index"
    with start(gallery, out, tiny_bundle_dir) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGSTOP)  # held in the middle, however slow the other one is to start
        command = ["build", "--photos", str(gallery), "--out", str(out), "--bundle", str(tiny_bundle_dir), "--json"]
        second = subprocess.run(
            [sys.executable, "-m", "inkseek", "index", *command], capture_output=True, text=True, check=False
        )
        process.send_signal(signal.SIGCONT)
        process.stdout.read()
    error = json.loads(second.stdout)
    assert (second.returncode, error["error"]) == (1, "BuildLocked")
    assert str(process.pid) in error["detail"]
    assert process.returncode == 0
    is_whole(out)


def test_a_full_disk(gallery: Path, tmp_path: Path, tiny_bundle_dir: Path) -> None:
    out = tmp_path / "index"
    published = build_index(BuildRequest(gallery, out, bundle=tiny_bundle_dir)).version
    # Files may not grow beyond 50 KB: writing fails like on a full disk, somewhere in the middle.
    limited = "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000));" + BUILD
    command = [sys.executable, "-c", limited, str(gallery), str(out), str(tiny_bundle_dir), ""]
    failed = subprocess.run(command, capture_output=True, text=True, check=False)
    assert failed.returncode == 1
    assert "BuildError: a new version could not be written" in failed.stderr
    assert is_whole(out) == published
    assert [path.name for path in (out / "versions").iterdir()] == [published]
