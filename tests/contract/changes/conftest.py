"""A service with an online store of its own, started as often as a test likes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from index_builder.artifact import MilvusServer
from index_builder.build import BuildRequest, build_index
from service.app import create_app
from service.config import Settings

MakeSettings = Callable[..., Settings]
Serve = Callable[..., TestClient]


@pytest.fixture(scope="session")
def index_in_milvus(
    tmp_path_factory: pytest.TempPathFactory, gallery_dir: Path, tiny_bundle_dir: Path
) -> dict[str, object]:
    """Settings of a service over the same gallery, whose vectors are in Milvus."""
    folder = tmp_path_factory.mktemp("milvus")
    server = MilvusServer(str(folder / "milvus.db"))
    build_index(
        BuildRequest(
            gallery_dir / "photos.csv", folder / "index", bundle=tiny_bundle_dir, store="milvus", milvus=server
        )
    )
    return {"index": folder / "index", "milvus_uri": server.uri}


@pytest.fixture(params=["files", "milvus"])
def store_settings(request: pytest.FixtureRequest) -> dict[str, object]:
    """Where the indexed photos' vectors are searched; what changes is the same everywhere."""
    return dict(request.getfixturevalue("index_in_milvus")) if request.param == "milvus" else {}


@pytest.fixture
def serve(make_settings: MakeSettings, tmp_path: Path, store_settings: dict[str, object]) -> Iterator[Serve]:
    """Start the service over one online folder, once more for each call."""
    with ExitStack() as stack:

        def start(**changes: object) -> TestClient:
            settings = make_settings(**{"online_dir": tmp_path / "online", **store_settings, **changes})
            return stack.enter_context(TestClient(create_app(settings), raise_server_exceptions=False))

        yield start


@pytest.fixture
def client(serve: Serve) -> TestClient:
    return serve()


@pytest.fixture
def sketch_of(gallery_dir: Path) -> Callable[[str], bytes]:
    """The drawing that a photo of the gallery is, by its id."""
    return lambda photo_id: (gallery_dir / photo_id).read_bytes()
