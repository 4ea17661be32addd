"""An index written by the first release of schema version 1 is read as it was meant, for ever."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from index_builder.artifact import GalleryIndex, PhotoFilter, parse_condition

GOLDEN = Path(__file__).parent / "index_v1"


def test_schema_version_1_is_read() -> None:
    index = GalleryIndex.load(GOLDEN, bundle_id="golden-bundle")
    assert (index.version, index.count, index.embedding_dim) == ("000001-2247f95a45cf", 24, 8)
    assert index.manifest.schema_version == 1
    assert index.categories() == [("chair", 10), ("shoe", 14)]
    assert index.problems() == []
    record = index.photo("shoe/12.jpg")
    assert (record.row, record.category, record.width, record.height) == (12, "shoe", 16, 12)
    assert dict(record.metadata) == {"price": 18.0, "artist": "ann", "sold": True}
    assert index.thumbnail("shoe/12.jpg").etag == f"{12:016x}"
    index.close()


def test_schema_version_1_is_searched() -> None:
    index = GalleryIndex.load(GOLDEN)
    waves = np.cos(np.outer(np.arange(1, 25), np.arange(1, 9) ** 2))
    vectors = waves / np.linalg.norm(waves, axis=1, keepdims=True)
    query = vectors[5].astype(np.float32)[None]
    expected = np.argsort(-(vectors @ vectors[5]), kind="stable")
    for exact in (True, False):
        hits = index.search(query, 5, exact=exact)[0]
        assert [hit.row for hit in hits] == expected[:5].tolist()
        assert hits[0].score == pytest.approx(1.0, abs=1e-6)
    where = PhotoFilter(frozenset({"shoe"}), (parse_condition("price>=30"), parse_condition("sold=true")))
    matching = [row for row in expected.tolist() if row >= 20 and row % 2 == 0]
    assert [hit.row for hit in index.search(query, 10, where=where)[0]] == matching
    index.close()


def test_schema_version_1_knows_of_no_category_that_it_faces_one_way() -> None:
    index = GalleryIndex.load(GOLDEN)
    assert index.manifest.facing == {}
    assert index.manifest.one_way_categories == frozenset()
    index.close()


def test_schema_version_2_is_read_with_how_its_categories_face() -> None:
    index = GalleryIndex.load(GOLDEN.with_name("index_v2"), bundle_id="golden-bundle")
    assert (index.version, index.manifest.schema_version) == ("000001-a4258217a5ef", 2)
    assert {name: (it.one_way, it.asymmetry) for name, it in index.manifest.facing.items()} == {
        "chair": (False, 0.0125),
        "shoe": (True, 0.241),
    }
    assert index.manifest.one_way_categories == {"shoe"}
    assert index.problems() == []
    index.close()


def test_schema_version_3_is_read_and_searched_over_its_segments() -> None:
    index = GalleryIndex.load(GOLDEN.with_name("index_v3"), bundle_id="golden-bundle")
    manifest = index.manifest
    assert (manifest.schema_version, index.count) == (3, 10)
    assert [(segment.count, segment.live, segment.search.kind) for segment in manifest.segments] == [
        (6, 5, "hnsw"),
        (6, 5, "flat"),
    ]
    assert (manifest.gallery.exclude, manifest.build.embedded, manifest.build.reused) == (("*.tmp",), 6, 4)
    assert index.problems() == []
    numbers = [0, 1, 2, 3, 6, 7, 8, 9, 10, 11]
    assert [record.metadata["price"] for record in index.photos(list(range(10)))] == numbers
    assert index.thumbnail("shoe/09.jpg").etag == f"{9:016x}"
    waves = np.cos(np.outer(np.arange(1, 13), np.arange(1, 9) ** 2))[numbers]
    vectors = waves / np.linalg.norm(waves, axis=1, keepdims=True)
    expected = np.argsort(-(vectors @ vectors[5]), kind="stable").tolist()
    for exact in (True, False):
        assert [hit.row for hit in index.search(vectors[5:6].astype(np.float32), 5, exact=exact)[0]] == expected[:5]
    where = PhotoFilter(frozenset({"shoe"}), (parse_condition("price>=8"),))
    matching = [row for row in expected if numbers[row] >= 8]
    assert [hit.row for hit in index.search(vectors[5:6].astype(np.float32), 10, where=where)[0]] == matching
    index.close()
