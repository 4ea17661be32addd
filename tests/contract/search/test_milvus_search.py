"""A service whose vectors are in Milvus answers as one that has them in files, and says so where it cannot."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from index_builder.artifact import GalleryIndex, MilvusServer, StoreUnavailable
from index_builder.build import BuildRequest, build_index
from index_builder.publish import rollback
from service.app import create_app
from service.config import Settings, load_settings
from service.runtime.serving import load_bundle, load_retriever
from tests.contract.conftest import CATEGORIES, Drawing, Encode, MakeSettings, Parts
from tests.contract.waiting import until

QUERIES = [
    "",
    "?k=1",
    "?k=40",
    "?exact=true",
    "?filter=price>=20",
    "?filter=artist=ada&filter=price<30",
    "?mirror=true",
]


@pytest.fixture(scope="module")
def milvus(tmp_path_factory: pytest.TempPathFactory) -> MilvusServer:
    return MilvusServer(str(tmp_path_factory.mktemp("milvus") / "milvus.db"), timeout_s=60.0)


@pytest.fixture(scope="module")
def in_milvus(
    tmp_path_factory: pytest.TempPathFactory, gallery_dir: Path, adaptable_bundle_dir: Path, milvus: MilvusServer
) -> Path:
    """Two versions of the gallery in Milvus."""
    out = tmp_path_factory.mktemp("indexes") / "in_milvus"
    for _ in range(2):
        build_index(
            BuildRequest(gallery_dir / "photos.csv", out, bundle=adaptable_bundle_dir, store="milvus", milvus=milvus)
        )
    return out


@pytest.fixture
def settings(
    make_settings: MakeSettings, in_milvus: Path, adaptable_bundle_dir: Path, milvus: MilvusServer, tmp_path: Path
) -> Settings:
    return make_settings(
        index=in_milvus,
        bundle=adaptable_bundle_dir,
        milvus_uri=milvus.uri,
        milvus_timeout_s=60.0,
        milvus_token="geheim",
        online_dir=tmp_path / "online",
        index_poll_s=0.05,
        canary_interval_s=0.2,
    )


@pytest.fixture
def client(settings: Settings) -> Iterator[TestClient]:
    with TestClient(create_app(settings), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def over_files(
    make_settings: MakeSettings,
    tmp_path: Path,
    gallery_dir: Path,
    adaptable_bundle_dir: Path,
) -> Iterator[TestClient]:
    """A service of the same photos, whose vectors are in files."""
    out = tmp_path / "in_files"
    build_index(BuildRequest(gallery_dir / "photos.csv", out, bundle=adaptable_bundle_dir))
    made = create_app(make_settings(index=out, bundle=adaptable_bundle_dir))
    with TestClient(made, raise_server_exceptions=False) as client:
        yield client


def found(client: TestClient, sketch: bytes, query: str) -> list[tuple[str, float, int]]:
    answer = client.post(f"/v1/search{query}", content=sketch, headers={"content-type": "image/png"})
    assert answer.status_code == 200, answer.text
    return [(hit["photo_id"], hit["score"], hit["rank"]) for hit in answer.json()["results"]]


def sketches(drawing: Drawing, encoded: Encode) -> list[bytes]:
    return [encoded(drawing(category, number)) for category in CATEGORIES for number in (0, 3)]


def test_answers_are_those_of_files_to_the_bit(
    client: TestClient, over_files: TestClient, drawing: Drawing, encoded: Encode
) -> None:
    for sketch in sketches(drawing, encoded):
        for query in [*QUERIES, "?category=box", "?category=box&category=cross&k=7"]:
            assert found(client, sketch, query) == found(over_files, sketch, query), query
    for client_ in (client, over_files):
        assert client_.get("/v1/photos/box/1.png/similar").status_code == 200


def test_a_category_adapter_and_its_photo_work_on_fetched_vectors(
    client: TestClient,
    over_files: TestClient,
    drawing: Drawing,
    encoded: Encode,
    support_form: Callable[..., Parts],
) -> None:
    form = [*support_form("box"), ("photo", encoded(drawing("cross", 4), "JPEG"))]
    for service in (client, over_files):
        made = service.post("/v1/categories/box/adapters?force=true", files=form)
        assert made.status_code == 201, made.text
    for sketch in sketches(drawing, encoded):
        # Ids of uploaded photos are the service's own.
        mine, theirs = (
            [hit if hit[0].startswith("box/") else hit[1:] for hit in found(service, sketch, "?category=box&k=6")]
            for service in (client, over_files)
        )
        assert mine == theirs


def test_a_version_that_is_published_comes_into_service_and_goes_back(
    client: TestClient, in_milvus: Path, milvus: MilvusServer, cross: bytes
) -> None:
    now = client.get("/readyz").json()["index_version"]
    _, before = rollback(in_milvus, milvus=milvus)
    until(lambda: client.get("/readyz").json()["index_version"] == before)
    assert found(client, cross, "?k=1")[0][0] == "cross/2.png"
    rollback(in_milvus, now, milvus=milvus)
    until(lambda: client.get("/readyz").json()["index_version"] == now)


def test_without_its_collection_a_search_is_503_and_the_service_not_ready(
    make_settings: MakeSettings,
    gallery_dir: Path,
    tiny_bundle_dir: Path,
    milvus: MilvusServer,
    tmp_path: Path,
    cross: bytes,
    caplog: pytest.LogCaptureFixture,
) -> None:
    out = tmp_path / "index"
    build_index(BuildRequest(gallery_dir / "photos.csv", out, bundle=tiny_bundle_dir, store="milvus", milvus=milvus))
    settings = make_settings(index=out, milvus_uri=milvus.uri, milvus_token="geheim", canary_interval_s=0.1)
    with TestClient(create_app(settings), raise_server_exceptions=False) as client, caplog.at_level(logging.DEBUG):
        assert client.get("/readyz").status_code == 200
        with_files = GalleryIndex.load(out)
        name = str(with_files.manifest.collection)
        with_files.close()
        connection = milvus.connect()
        for alias in connection.list_aliases(name)["aliases"]:
            connection.drop_alias(alias)
        connection.drop_collection(name)
        connection.close()
        answer = client.post("/v1/search", content=cross, headers={"content-type": "image/png"})
        assert answer.status_code == 503
        assert answer.json()["code"] == "vectors_unavailable"
        assert answer.headers["retry-after"] == "5"
        assert milvus.uri not in answer.text
        until(lambda: client.get("/readyz").status_code == 503)
        assert client.get("/readyz").json()["detail"] == "the photos' vectors are not available"
        assert client.get("/livez").status_code == 200
        assert client.get("/v1/photos/box/1.png").status_code == 200  # what needs no vector is answered
    assert name in caplog.text
    assert "geheim" not in caplog.text


def test_a_service_without_the_address_does_not_start(make_settings: MakeSettings, settings: Settings) -> None:
    nowhere = settings.model_copy(update={"milvus_uri": None})
    with pytest.raises(StoreUnavailable, match="INKSEEK_MILVUS_URI"):
        load_retriever(nowhere, load_bundle(nowhere))


def test_the_address_is_checked_and_the_token_is_shown_nowhere(settings: Settings) -> None:
    assert "geheim" not in repr(settings)
    assert "geheim" not in str(settings.milvus)
    assert settings.milvus is not None
    assert settings.milvus.token == "geheim"
    with pytest.raises(ValueError, match="token"):
        load_settings({}, index=settings.index, milvus_uri="http://root:geheim@localhost:19530")
