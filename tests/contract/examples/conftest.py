"""A service of its own for each example, which collects feedback."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image

from inkseek_client import Client
from service.config import Settings
from tests.contract.clients.conftest import serving


@pytest.fixture
def url(make_settings: Callable[..., Settings], tmp_path: Path) -> Iterator[str]:
    with serving(make_settings(feedback=True, online_dir=tmp_path / "online", max_batch_items=2)) as started:
        yield started


@pytest.fixture
def client(url: str) -> Iterator[Client]:
    with Client(url) as opened:
        yield opened


@pytest.fixture
def sketches(tmp_path: Path, drawing: Callable[[str, int], Image.Image]) -> Path:
    """Three drawings in two folders, and a file that is none."""
    folder = tmp_path / "sketches"
    for category, number in (("box", 0), ("box", 2), ("cross", 1)):
        (folder / category).mkdir(parents=True, exist_ok=True)
        drawing(category, number).save(folder / category / f"{number}.png")
    (folder / "broken.png").write_bytes(b"no picture")
    return folder
