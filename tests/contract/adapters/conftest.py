"""A service of its own that can be adapted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from starlette.testclient import TestClient

from service.app import create_app
from service.config import Settings

Drawing = Callable[[str, int], Image.Image]
Encode = Callable[..., bytes]
Parts = list[tuple[str, Any]]


@pytest.fixture
def settings(make_settings: Callable[..., Settings], adaptable_bundle_dir: Path, tmp_path: Path) -> Settings:
    return make_settings(
        bundle=adaptable_bundle_dir,
        online_dir=tmp_path / "online",
        max_pairs=4,
        max_adapters=3,
        max_support_photos=4,
        max_online_photos=5,
        max_upload_bytes=60_000,
        max_support_bytes=300_000,
    )


@pytest.fixture
def adaptable(settings: Settings) -> Iterator[TestClient]:
    """A service of its own that can be adapted."""
    with TestClient(create_app(settings), raise_server_exceptions=False) as client:
        yield client
