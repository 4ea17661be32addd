"""Search against a naive one: every score, sorted by (-score, row)."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from index_builder.artifact import (
    CategoryNotFound,
    FilterInvalid,
    GalleryIndex,
    MetadataField,
    PhotoFilter,
    parse_condition,
)
from models.arrays import Vectors

WriteIndex = Callable[..., GalleryIndex]


def unit_rows(count: int, dim: int = 16, seed: int = 0) -> Vectors:
    vectors = np.random.default_rng(seed).standard_normal((count, dim)).astype(np.float32)
    rows: Vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return rows


def naive_top_k(vectors: Vectors, query: Vectors, k: int, rows: list[int] | None = None) -> list[int]:
    scores = vectors.astype(np.float64) @ query.astype(np.float64)
    chosen = range(len(vectors)) if rows is None else rows
    return sorted(chosen, key=lambda row: (-scores[row], row))[:k]


def test_thousands_of_equal_photos_come_in_row_order(write_index: WriteIndex) -> None:
    vectors = np.repeat(unit_rows(1), 3000, axis=0)
    hits = write_index(vectors).search(vectors[:1], 5)[0]
    assert [hit.row for hit in hits] == [0, 1, 2, 3, 4]


def test_scores_are_cosines_and_never_above_one(write_index: WriteIndex) -> None:
    vectors = unit_rows(50)
    index = write_index(vectors)
    for row, hits in enumerate(index.search(vectors, 50)):
        assert hits[0].row == row
        assert hits[0].score == pytest.approx(1.0, abs=1e-6)
        assert all(-1.0 <= hit.score <= 1.0 for hit in hits)
        for hit in hits:
            assert hit.score == pytest.approx(float(vectors[row].astype(np.float64) @ vectors[hit.row]), abs=1e-6)


def test_more_than_there_are_gives_all(write_index: WriteIndex) -> None:
    index = write_index(unit_rows(7))
    assert [len(hits) for hits in index.search(unit_rows(3, seed=1), 200)] == [7, 7, 7]


def test_min_score_cuts_the_tail(write_index: WriteIndex) -> None:
    vectors, query = unit_rows(40), unit_rows(1, seed=1)
    scores = sorted((vectors @ query[0]).tolist(), reverse=True)
    hits = write_index(vectors).search(query, 40, min_score=(scores[4] + scores[5]) / 2)[0]
    assert len(hits) == 5


def test_an_answer_does_not_depend_on_the_batch(write_index: WriteIndex) -> None:
    index, queries = write_index(unit_rows(300)), unit_rows(50, seed=1)
    together = index.search(queries, 10)
    assert together == [index.search(query[None], 10)[0] for query in queries]


@pytest.mark.parametrize("kind", ["hnsw", "sq8", "ivfpq"])
def test_approximate_scores_are_the_exact_ones(write_index: WriteIndex, kind: str) -> None:
    vectors, queries = unit_rows(500), unit_rows(20, seed=1)
    index = write_index(vectors, kind=kind)
    for approximate, exact in zip(index.search(queries, 10), index.search(queries, 10, exact=True), strict=True):
        scores = {hit.row: hit.score for hit in exact}
        shared = [hit for hit in approximate if hit.row in scores]
        assert len(approximate) == 10
        assert len(shared) >= 8
        assert all(hit.score == scores[hit.row] for hit in shared)
    assert [hit.row for hit in index.search(queries[:1], 500)[0]] == naive_top_k(vectors, queries[0], 500)


@pytest.mark.parametrize("kind", ["flat", "hnsw", "sq8", "ivfpq"])
def test_a_filter_never_returns_fewer_than_there_are(write_index: WriteIndex, kind: str) -> None:
    # One photo in fifty matches, and the query points away from all of them.
    vectors = unit_rows(500)
    categories = ["rare" if row % 50 == 7 else "common" for row in range(500)]
    query = -vectors[7:8]
    index = write_index(vectors, kind=kind, categories=categories)
    rare = [row for row, category in enumerate(categories) if category == "rare"]
    hits = index.search(query, 10, where=PhotoFilter(frozenset({"rare"})))[0]
    assert [hit.row for hit in hits] == naive_top_k(vectors, query[0], 10, rare)


def test_filters_on_metadata_match_the_naive_ones(write_index: WriteIndex) -> None:
    rng = np.random.default_rng(0)
    fields = [
        MetadataField(name="price", type="number"),
        MetadataField(name="art ist", type="text"),
        MetadataField(name="sold", type="boolean"),
    ]
    metadata = [
        {
            "price": [None, 5, 7.5, 10][rng.integers(4)],
            "art ist": [None, "ann", "bob's; DROP TABLE photos"][rng.integers(3)],
            "sold": [None, True, False][rng.integers(3)],
        }
        for _ in range(100)
    ]
    categories = [("a", "b", "c")[row % 3] for row in range(100)]
    index = write_index(unit_rows(100), fields=fields, metadata=metadata, categories=categories)

    def rows(*conditions: str, categories: frozenset[str] = frozenset()) -> list[int]:
        where = PhotoFilter(categories, tuple(map(parse_condition, conditions)))
        matches: list[int] = index.rows_where(where).tolist()
        return matches

    def matching(test: Callable[[dict[str, object]], bool]) -> list[int]:
        return [row for row, values in enumerate(metadata) if test(values)]  # type: ignore[arg-type]

    number: Callable[[object], float] = lambda value: float("nan") if value is None else float(value)  # type: ignore[arg-type]  # noqa: E731
    assert rows("price>=7.5") == matching(lambda v: number(v["price"]) >= 7.5)
    assert rows("price < 10") == matching(lambda v: number(v["price"]) < 10)
    assert rows("price=5") == rows("price=5.0") == matching(lambda v: v["price"] == 5)
    assert rows("price!=5") == matching(lambda v: v["price"] != 5)
    assert rows("price=") == matching(lambda v: v["price"] is None)
    assert rows("price!=") == matching(lambda v: v["price"] is not None)
    assert rows("art ist=bob's; DROP TABLE photos") == matching(lambda v: str(v["art ist"]).startswith("bob"))
    assert rows("art ist^=bob") == matching(lambda v: str(v["art ist"]).startswith("bob"))
    assert rows("sold=true") == rows("sold=YES") == matching(lambda v: v["sold"] is True)
    assert rows("sold!=true") == matching(lambda v: v["sold"] is not True)
    assert rows("price>=5", "sold=false", categories=frozenset("ab")) == [
        row
        for row in matching(lambda v: number(v["price"]) >= 5 and v["sold"] is False)
        if categories[row] in ("a", "b")
    ]
    record = index.photo("000003.jpg")
    assert dict(record.metadata) == metadata[3]


def test_filters_that_cannot_be_met_say_why(write_index: WriteIndex) -> None:
    index = write_index(unit_rows(5), fields=[MetadataField(name="price", type="number")])
    query = unit_rows(1)
    for condition, expected in (("colour=red", "price"), ("price>cheap", "number"), ("price=nan", "number")):
        with pytest.raises(FilterInvalid, match=expected):
            index.search(query, 3, where=PhotoFilter(conditions=(parse_condition(condition),)))
    with pytest.raises(CategoryNotFound, match="boots"):
        index.search(query, 3, where=PhotoFilter(frozenset({"boots"})))
    assert index.search(query, 3, where=PhotoFilter(conditions=(parse_condition("price>1"),))) == [[]]


@pytest.mark.parametrize(("shape", "k"), [((16,), 5), ((1, 15), 5), ((1, 16), 0)])
def test_what_is_no_query_is_rejected(write_index: WriteIndex, shape: tuple[int, ...], k: int) -> None:
    with pytest.raises(ValueError, match="queries must be"):
        write_index(unit_rows(5)).search(np.zeros(shape, np.float32), k)


def test_threads_share_one_index(write_index: WriteIndex) -> None:
    vectors = unit_rows(400)
    categories = [f"c{row % 4}" for row in range(400)]
    index = write_index(vectors, kind="hnsw", categories=categories)

    def search(position: int) -> tuple[list[int], str]:
        where = PhotoFilter(frozenset({f"c{position % 4}"}))
        hits = index.search(vectors[position : position + 1], 5, where=where)[0]
        return [hit.row for hit in hits], index.photos([hits[0].row])[0].photo_id

    with ThreadPoolExecutor(8) as pool:
        for position, (rows, photo_id) in enumerate(pool.map(search, range(400))):
            assert rows == naive_top_k(vectors, vectors[position], 5, list(range(position % 4, 400, 4)))
            assert photo_id == f"{position:06d}.jpg"
