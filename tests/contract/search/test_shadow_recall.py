"""A sample of searches is repeated exactly in the background, and the metric says what they had missed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from index_builder.build import BuildRequest, build_index
from index_builder.stores.plan import KindChoice, StoreSettings
from service.app import create_app
from service.runtime.monitoring.shadow_sample import ShadowSample
from service.runtime.process import Process
from service.search.query import SearchQuery
from service.search.retriever import Retriever
from service.search.shadow import RECALL_K, recall_of
from service.sketches.sketch import EncodedImage
from tests.contract.conftest import CATEGORIES, Encode, MakeSettings
from tests.contract.waiting import until

Drawing = Callable[[str, int], Image.Image]
POOR = StoreSettings(hnsw_links=2, hnsw_ef_construction=1, ef_search=(1,))
COUNT = 60


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shadowed")
    for number in range(COUNT):
        pixels = np.random.default_rng(number).integers(0, 255, (5, 5, 3), dtype=np.uint8)
        Image.fromarray(pixels).resize((64, 64), Image.Resampling.BICUBIC).save(folder / f"{number:02d}.png")
    return folder


def index_of(photos: Path, out: Path, bundle: Path, kind: KindChoice) -> Path:
    build_index(BuildRequest(photos, out, bundle=bundle, kind=kind, settings=POOR))
    return out


@pytest.fixture
def client(photos: Path, tmp_path: Path, tiny_bundle_dir: Path, make_settings: MakeSettings) -> Iterator[TestClient]:
    index = index_of(photos, tmp_path / "index", tiny_bundle_dir, "hnsw")
    settings = make_settings(index=index, shadow_share=1.0, online_dir=tmp_path / "online")
    with TestClient(create_app(settings)) as client:
        yield client


def repeated(client: TestClient) -> tuple[float, float]:
    """How many searches were repeated, and the sum of their recall."""
    families = text_string_to_metric_families(client.get("/metrics").text)
    samples = {sample.name: sample.value for family in families for sample in family.samples}
    return samples["inkseek_shadow_recall_count"], samples["inkseek_shadow_recall_sum"]


def process_of(client: TestClient) -> Process:
    process: Process = client.app.state.process  # type: ignore[attr-defined]
    return process


def begun_and_vectors(retriever: Retriever, file: bytes, query: SearchQuery) -> float | None:
    begun = retriever.begin(EncodedImage(file), query)
    return recall_of(begun, retriever.bundle.sketch.encode(begun.inputs))


def test_recall_is_that_of_the_two_answers(client: TestClient, drawing: Drawing, encoded: Encode) -> None:
    measured = []
    with process_of(client).serving.borrow() as retriever:
        for category in CATEGORIES:
            for number in range(4):
                file = encoded(drawing(category, number))
                found, truth = (
                    {
                        ranked.photo.row
                        for ranked in retriever.search(EncodedImage(file), SearchQuery(k=RECALL_K, exact=exact)).photos
                    }
                    for exact in (False, True)
                )
                expected = len(found & truth) / RECALL_K
                # Whatever was asked for: a longer list is not what is measured, and a lowest score hides nothing.
                for query in (SearchQuery(), SearchQuery(k=3, min_score=0.99)):
                    assert begun_and_vectors(retriever, file, query) == expected
                measured.append(expected)
                for exact in (SearchQuery(exact=True), SearchQuery(filters=("width>=1",))):
                    assert begun_and_vectors(retriever, file, exact) is None
    assert 0 < np.mean(measured) < 1


def test_searches_are_repeated_and_counted(client: TestClient, cross: bytes) -> None:
    assert repeated(client) == (0, 0)
    client.post("/v1/search", content=cross).raise_for_status()
    until(lambda: repeated(client)[0] == 1)
    with process_of(client).serving.borrow() as retriever:
        expected = begun_and_vectors(retriever, cross, SearchQuery())
    assert repeated(client)[1] == pytest.approx(expected)


def test_by_default_nothing_is_repeated_nor_where_every_search_is_exact(
    photos: Path, tmp_path: Path, tiny_bundle_dir: Path, make_settings: MakeSettings, cross: bytes
) -> None:
    assert make_settings().shadow_share == 0.0
    index = index_of(photos, tmp_path / "index", tiny_bundle_dir, "flat")
    with TestClient(create_app(make_settings(index=index, shadow_share=1.0))) as client:
        client.post("/v1/search", content=cross).raise_for_status()
        with process_of(client).serving.borrow() as retriever:
            assert begun_and_vectors(retriever, cross, SearchQuery()) is None


def test_a_sample_that_is_behind_leaves_searches_out_and_one_that_fails_goes_on(
    client: TestClient, cross: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    process, seen = process_of(client), []

    def observe(recall: float) -> None:
        seen.append(recall)
        if len(seen) == 1:
            raise RuntimeError("the first one fails")

    sample = ShadowSample(1.0, observe)
    with process.serving.borrow() as retriever:
        begun = retriever.begin(EncodedImage(cross), SearchQuery())
        vectors = retriever.bundle.sketch.encode(begun.inputs)
    for _ in range(3):
        sample.offer(process.serving, begun, vectors)
    until(lambda: len(seen) >= 1)

    def second_is_seen() -> bool:
        sample.offer(process.serving, begun, vectors)
        return len(seen) >= 2

    until(second_is_seen)
    sample.close()
    assert "could not be repeated" in caplog.text
