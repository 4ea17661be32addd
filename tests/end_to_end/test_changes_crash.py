"""Two worker processes that are killed while photos change: what was answered is there, and nothing else is."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import httpx
import pytest
from PIL import Image

from index_builder.build import BuildRequest, build_index
from tests.contract.changes.drawings import star
from tests.contract.test_commands import serving
from tests.contract.waiting import until

COUNT = 30


@pytest.fixture
def index(tiny_bundle_dir: Path, tmp_path: Path) -> Path:
    (tmp_path / "photos" / "plain").mkdir(parents=True)
    for number in range(4):
        Image.new("RGB", (64, 64), (200, 60 * number, 0)).save(tmp_path / "photos" / "plain" / f"{number}.png")
    build_index(BuildRequest(photos=tmp_path / "photos", out=tmp_path / "index", bundle=tiny_bundle_dir))
    return tmp_path / "index"


def listed(address: str) -> set[str]:
    # A connection each, so that both workers are asked.
    photos = httpx.get(address + "v1/photos?limit=1000&fields=photo_id", timeout=60).json()["photos"]
    return {photo["photo_id"] for photo in photos}


def change(address: str, thread: int, answered: dict[str, bool]) -> None:
    """Upload and delete until the service is killed. `answered`: whether a photo is there, as far as is known."""
    try:
        # Ids of one thread are never those of another, so that the order of their answers is known.
        for number in range(thread, 1_000, 3):
            photo_id = f"stars/{number % COUNT}"
            answered.pop(photo_id, None)  # in flight: either will do
            if number % 4 == 3:
                response = httpx.delete(f"{address}v1/photos/{photo_id}", timeout=60)
            else:
                response = httpx.put(f"{address}v1/photos/{photo_id}", content=star(number % 45), timeout=60)
            if response.status_code in (200, 201, 204):
                answered[photo_id] = response.status_code != 204
    except httpx.TransportError:
        return


@pytest.mark.timeout(300)
@pytest.mark.parametrize("at_once", [9, 20])
def test_killed_between_changes(index: Path, tiny_bundle_dir: Path, tmp_path: Path, at_once: int) -> None:
    options = ["--index", str(index), "--bundle", str(tiny_bundle_dir), "--workers", "2"]
    options += ["--online-dir", str(tmp_path / "online")]
    answered: dict[str, bool] = {}
    with serving(options) as (address, process):
        threads = [threading.Thread(target=change, args=(address, thread, answered)) for thread in range(3)]
        for thread in threads:
            thread.start()
        until(lambda: len(answered) > at_once)
        os.killpg(process.pid, signal.SIGKILL)
        for thread in threads:
            thread.join()
    with serving(options) as (address, process):
        for _ in range(6):
            there = listed(address)
            assert {photo_id: photo_id in there for photo_id in answered} == answered
            assert {f"plain/{number}.png" for number in range(4)} <= there
        photo_id = next(one for one, is_there in answered.items() if is_there)
        httpx.delete(f"{address}v1/photos/{photo_id}", timeout=60).raise_for_status()
        assert all(photo_id not in listed(address) for _ in range(8))  # whichever worker answers
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
