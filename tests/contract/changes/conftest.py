"""A service with an online store of its own, started as often as a test likes."""

from __future__ import annotations

import shutil
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
IN_EACH_STORE = pytest.mark.parametrize("store", ["files", "milvus"], indirect=True)
"""For tests of what has to be the same wherever vectors are searched."""


@pytest.fixture(scope="session")
def milvus(tmp_path_factory: pytest.TempPathFactory) -> MilvusServer:
    """A milvus-lite in this process."""
    return MilvusServer(str(tmp_path_factory.mktemp("milvus") / "milvus.db"), timeout_s=60.0)


@pytest.fixture(scope="session")
def index_in_milvus(
    tmp_path_factory: pytest.TempPathFactory, gallery_dir: Path, tiny_bundle_dir: Path, milvus: MilvusServer
) -> Path:
    """The gallery's index with its vectors in Milvus."""
    out = tmp_path_factory.mktemp("indexes") / "in_milvus"
    build_index(BuildRequest(gallery_dir / "photos.csv", out, bundle=tiny_bundle_dir, store="milvus", milvus=milvus))
    return out


@pytest.fixture
def store(request: pytest.FixtureRequest) -> str:
    """Where the indexed photos' vectors are searched: "files", or "milvus" where a test says so (`IN_EACH_STORE`)."""
    return str(getattr(request, "param", "files"))


@pytest.fixture
def server(request: pytest.FixtureRequest, store: str) -> MilvusServer | None:
    """The Milvus of the test's store; None for files."""
    found: MilvusServer | None = request.getfixturevalue("milvus") if store == "milvus" else None
    return found


@pytest.fixture
def own_index(
    server: MilvusServer | None, index_dir: Path, gallery_dir: Path, tiny_bundle_dir: Path, tmp_path: Path
) -> Path:
    """An index of the gallery that the test may change."""
    out = tmp_path / "index"
    if server is not None:  # built anew: copies of one index would have one alias
        photos = gallery_dir / "photos.csv"
        build_index(BuildRequest(photos, out, bundle=tiny_bundle_dir, store="milvus", milvus=server))
    else:
        shutil.copytree(index_dir, out, ignore=shutil.ignore_patterns("online"))
    return out


@pytest.fixture
def serve(
    request: pytest.FixtureRequest, make_settings: MakeSettings, tmp_path: Path, server: MilvusServer | None
) -> Iterator[Serve]:
    """Start the service over one online folder, once more for each call."""
    stored: dict[str, object] = {}
    if server is not None:
        stored = {
            "index": request.getfixturevalue("index_in_milvus"),
            "milvus_uri": server.uri,
            "milvus_timeout_s": 60.0,
        }
    with ExitStack() as stack:

        def start(**changes: object) -> TestClient:
            settings = make_settings(**{"online_dir": tmp_path / "online", **stored, **changes})
            return stack.enter_context(TestClient(create_app(settings), raise_server_exceptions=False))

        yield start


@pytest.fixture
def client(serve: Serve) -> TestClient:
    return serve()


@pytest.fixture
def sketch_of(gallery_dir: Path) -> Callable[[str], bytes]:
    """The drawing that a photo of the gallery is, by its id."""
    return lambda photo_id: (gallery_dir / photo_id).read_bytes()
