"""A service with an online store of its own, started as often as a test likes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from service.app import create_app
from service.config import Settings

MakeSettings = Callable[..., Settings]
Serve = Callable[..., TestClient]


@pytest.fixture
def serve(make_settings: MakeSettings, tmp_path: Path) -> Iterator[Serve]:
    """Start the service over one online folder, once more for each call."""
    with ExitStack() as stack:

        def start(**changes: object) -> TestClient:
            settings = make_settings(**{"online_dir": tmp_path / "online", **changes})
            return stack.enter_context(TestClient(create_app(settings), raise_server_exceptions=False))

        yield start


@pytest.fixture
def client(serve: Serve) -> TestClient:
    return serve()


@pytest.fixture
def sketch_of(gallery_dir: Path) -> Callable[[str], bytes]:
    """The drawing that a photo of the gallery is, by its id."""
    return lambda photo_id: (gallery_dir / photo_id).read_bytes()
