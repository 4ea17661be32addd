"""A service that is killed while its index builder runs: the builder ends as well, and publishes nothing."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from PIL import Image

from index_builder.artifact.layout import current_version
from index_builder.build import BuildRequest, build_index
from tests.contract.test_commands import serving
from tests.contract.waiting import until


def processes_of(index: Path) -> list[int]:
    """Ids of the index builders of that index that run."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            words = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
            if {"index", "update", str(index)} <= set(words) and is_running(int(folder.name)):
                found.append(int(folder.name))
    return found


def is_running(process_id: int) -> bool:
    """Whether it is there, and no more than an entry that nobody has waited for."""
    try:
        status = Path(f"/proc/{process_id}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


@pytest.mark.timeout(300)
def test_the_builder_of_a_killed_service_ends(tiny_bundle_dir: Path, tmp_path: Path) -> None:
    photos, index = tmp_path / "photos", tmp_path / "index"
    photos.mkdir()
    for number in range(4):
        Image.new("RGB", (64, 64), (200, 60 * number, 0)).save(photos / f"{number}.png")
    build_index(BuildRequest(photos, index, bundle=tiny_bundle_dir))
    before = current_version(index)
    Image.new("RGB", (64, 64), (0, 60, 200)).save(photos / "new.png")
    options = ["--index", str(index), "--bundle", str(tiny_bundle_dir), "--online-dir", str(tmp_path / "online")]
    builders: list[int] = []
    try:
        with serving(options) as (address, process):
            httpx.post(f"{address}v1/index:rebuild", timeout=60).raise_for_status()
            until(lambda: bool(processes_of(index)))
            builders = processes_of(index)
            # Held while the service is killed, so that it has not published by then.
            os.kill(builders[0], signal.SIGSTOP)
            process.kill()
            process.wait()
            os.kill(builders[0], signal.SIGCONT)
            until(lambda: not is_running(builders[0]))
        assert current_version(index) == before
    finally:
        for builder in builders:
            with suppress(ProcessLookupError):
                os.kill(builder, signal.SIGKILL)
