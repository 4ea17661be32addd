"""A real service on a port of its own, for clients that speak HTTP."""

from __future__ import annotations

import json
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from starlette.types import ASGIApp

from service.app import create_app
from service.config import Settings, load_settings


def serving(settings: Settings) -> AbstractContextManager[str]:
    """The URL of a service that runs in a thread until the block ends."""
    return running(create_app(settings))


@contextmanager
def running(app: ASGIApp) -> Iterator[str]:
    """The URL of an application that runs in a thread until the block ends."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    deadline = time.monotonic() + 60.0
    while not server.started:
        assert thread.is_alive(), "the service did not start"
        assert time.monotonic() < deadline, "the service did not start in time"
        time.sleep(0.02)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


@pytest.fixture
def url(
    make_settings: Callable[..., Settings], index_dir: Path, adaptable_bundle_dir: Path, tmp_path: Path
) -> Iterator[str]:
    """A service of its own that can be adapted, changed and rebuilt, with batches of at most three sketches."""
    shutil.copytree(index_dir, tmp_path / "index", symlinks=True)
    changes = {"index": tmp_path / "index", "feedback": True, "max_batch_items": 3}
    with serving(make_settings(bundle=adaptable_bundle_dir, **changes)) as started:
        yield started


@pytest.fixture(scope="session")
def document() -> dict[str, Any]:
    """The OpenAPI document as it is served, with JSON's own types."""
    described: dict[str, Any] = json.loads(json.dumps(create_app(load_settings({}, index=Path("nowhere"))).openapi()))
    return described
