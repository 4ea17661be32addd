"""One contract for every vector store: each test runs over each store and compares with a naive computation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pytest

from index_builder.stores.base import VectorStore
from index_builder.stores.choice import VECTORS, build_store, open_store
from index_builder.stores.exact import ExactStore
from index_builder.stores.milvus.server import MilvusServer
from index_builder.stores.plan import KindChoice, choose_plan
from index_builder.stores.ranking import top_k
from index_builder.stores.row_map import RowMap
from index_builder.stores.segmented import SegmentedStore
from index_builder.stores.vectors_file import VectorWriter
from models.arrays import Vectors
from tests.unit.index_builder.milvus_gallery import MilvusGallery

COUNT, DIM = 400, 24
MakeStore: TypeAlias = Callable[[Vectors], VectorStore]


def unit_rows(count: int, dim: int = DIM, seed: int = 0) -> Vectors:
    vectors = np.random.default_rng(seed).standard_normal((count, dim)).astype(np.float32)
    rows: Vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return rows


def on_disk(folder: Path, vectors: Vectors, kind: KindChoice) -> VectorStore:
    """Built in `folder`, then opened from its files, as a builder and a service do."""
    count, dim = vectors.shape
    with VectorWriter(folder / VECTORS, dim) as writer:
        writer.append(vectors)
    plan = choose_plan(count, dim, kind)
    build_store(folder, plan, count=count, dim=dim, threads=1)
    return open_store(folder, plan, count=count, dim=dim)


def segmented(folder: Path, vectors: Vectors, kinds: Sequence[KindChoice]) -> VectorStore:
    """The rows dealt out to a segment of each kind, among deleted rows that are as near to every query."""
    dealt = np.random.default_rng(5).integers(0, len(kinds), len(vectors))
    dealt[: len(kinds)] = np.arange(len(kinds))[: len(vectors)]
    places = np.empty((len(vectors), 2), np.int32)
    stores: list[VectorStore] = []
    for kind in kinds:
        rows = np.flatnonzero(dealt == len(stores))
        if not len(rows):
            continue
        of_segment = folder / str(len(stores))
        of_segment.mkdir()
        # Every third row is a copy of the one before it, and deleted.
        held = np.repeat(rows, np.where(np.arange(len(rows)) % 2 == 1, 2, 1))
        live = np.flatnonzero(np.diff(held, prepend=-1))
        places[rows] = np.column_stack([np.full(len(rows), len(stores)), live])
        on_disk(of_segment, vectors[held], kind).close()
        plan = choose_plan(len(held), vectors.shape[1], kind)
        stores.append(open_store(of_segment, plan, count=len(held), dim=vectors.shape[1], live=live))
    return SegmentedStore(stores, RowMap(places, [store.count for store in stores]))


@pytest.fixture(
    params=[
        "in memory",
        "small blocks",
        "flat",
        "hnsw",
        "sq8",
        "ivfpq",
        "flat segments",
        "segments",
        "milvus",
        "milvus segments",
        "milvus small calls",
    ]
)
def make_store(request: pytest.FixtureRequest, tmp_path: Path, milvus: MilvusServer) -> Iterator[MakeStore]:
    """A further store joins the contract by one line here."""
    stores = list[VectorStore]()

    def opened(store: VectorStore) -> VectorStore:
        stores.append(store)
        return store

    makers: dict[str, MakeStore] = {
        "in memory": ExactStore,
        "small blocks": lambda vectors: ExactStore(vectors, block_rows=7),
        "flat": lambda vectors: on_disk(tmp_path, vectors, "flat"),
        "hnsw": lambda vectors: on_disk(tmp_path, vectors, "hnsw"),
        "sq8": lambda vectors: on_disk(tmp_path, vectors, "sq8"),
        "ivfpq": lambda vectors: on_disk(tmp_path, vectors, "ivfpq"),
        "flat segments": lambda vectors: segmented(tmp_path, vectors, ["flat"] * 3),
        "segments": lambda vectors: segmented(tmp_path, vectors, ["hnsw", "flat", "sq8", "ivfpq"]),
        "milvus": lambda vectors: opened(MilvusGallery(milvus, vectors, "hnsw").open()),
        "milvus segments": lambda vectors: opened(MilvusGallery(milvus, vectors, "ivfpq", segments=3).open()),
        "milvus small calls": lambda vectors: opened(
            MilvusGallery(milvus, vectors, "hnsw", segments=2).open(fetched_rows=10, most_terms=5)
        ),
    }
    yield makers[request.param]
    for store in stores:
        store.close()


def naive_top_k(vectors: Vectors, query: Vectors, k: int, rows: list[int] | None = None) -> list[int]:
    scores = vectors.astype(np.float64) @ query.astype(np.float64)
    return sorted(range(len(vectors)) if rows is None else rows, key=lambda row: (-scores[row], row))[:k]


def test_count_and_dim(make_store: MakeStore) -> None:
    store = make_store(unit_rows(COUNT))
    assert (store.count, store.dim) == (COUNT, DIM)


@pytest.mark.parametrize("rows", [[], [0], [7, 8, 9], [0, 5, 399], list(range(COUNT))])
def test_vectors_come_back_as_they_were_stored(make_store: MakeStore, rows: list[int]) -> None:
    vectors = unit_rows(COUNT)
    answer = make_store(vectors).vectors_of(np.array(rows, np.int64))
    assert answer.shape == (len(rows), DIM)
    assert answer.tobytes() == vectors[rows].tobytes()


def test_adjacent_vectors_cannot_be_written_into(make_store: MakeStore) -> None:
    with pytest.raises(ValueError, match="read-only"):
        make_store(unit_rows(COUNT)).vectors_of(np.arange(3, 9))[0] = 0.0


@pytest.mark.parametrize("rows", [None, [], [7], [3, 50, 51, 199], list(range(11, 90))])
def test_products_are_the_naive_ones(make_store: MakeStore, rows: list[int] | None) -> None:
    vectors, queries = unit_rows(COUNT), unit_rows(3, seed=1)
    chosen = None if rows is None else np.array(rows, np.int64)
    products = make_store(vectors).products(queries, chosen)
    expected = queries.astype(np.float64) @ (vectors if rows is None else vectors[rows]).astype(np.float64).T
    assert products.dtype == np.float32
    np.testing.assert_allclose(products, expected, atol=1e-6)


def test_a_product_depends_on_no_other_row_or_query(make_store: MakeStore) -> None:
    store, queries = make_store(unit_rows(COUNT)), unit_rows(5, seed=1)
    every = store.products(queries)
    for position, query in enumerate(queries):
        assert store.products(query[None])[0].tobytes() == every[position].tobytes()
    for rows in (np.array([7]), np.array([3, 50, 51, 199]), np.arange(11, 90)):
        assert store.products(queries, rows).tobytes() == np.ascontiguousarray(every[:, rows]).tobytes()


@pytest.mark.parametrize("k", [1, 10, COUNT, COUNT + 5])
def test_candidates_are_ascending_distinct_and_enough(make_store: MakeStore, k: int) -> None:
    store, queries = make_store(unit_rows(COUNT)), unit_rows(6, seed=1)
    proposed = store.candidates(queries, k)
    assert len(proposed) == len(queries)
    for rows in proposed:
        assert rows.dtype == np.int64
        assert np.all(np.diff(rows) > 0)
        assert min(k, COUNT) <= len(rows) <= COUNT
        assert 0 <= rows[0] <= rows[-1] < COUNT


def test_most_of_the_best_are_candidates(make_store: MakeStore) -> None:
    vectors, queries = unit_rows(COUNT), unit_rows(30, seed=1)
    proposed = make_store(vectors).candidates(queries, 10)
    shares = [
        len(set(naive_top_k(vectors, query, 10)) & set(rows.tolist())) / 10
        for query, rows in zip(queries, proposed, strict=True)
    ]
    assert np.mean(shares) > 0.9


def test_exact_candidates_hold_the_best_and_all_that_tie(make_store: MakeStore) -> None:
    vectors = np.repeat(unit_rows(80), 5, axis=0)
    queries = unit_rows(10, seed=1)
    store = make_store(vectors)
    for query, rows in zip(queries, store.candidates(queries, 7, exact=True), strict=True):
        scores = vectors.astype(np.float64) @ query
        kth_best = np.sort(scores)[-7]
        assert set(np.flatnonzero(scores >= kth_best).tolist()) <= set(rows.tolist())
        _, best = top_k(store.products(query[None], rows)[0], 7, rows)
        assert best.tolist() == naive_top_k(vectors, query, 7)


def test_within_limits_the_choice_and_loses_nothing(make_store: MakeStore) -> None:
    vectors = unit_rows(COUNT)
    store, within = make_store(vectors), np.arange(3, COUNT, 17)
    queries = -vectors[within[:4]]  # they point away from the rows that they may choose from
    for query, rows in zip(queries, store.candidates(queries, 5, within=within), strict=True):
        assert set(rows.tolist()) <= set(within.tolist())
        _, best = top_k(store.products(query[None], rows)[0], 5, rows)
        assert best.tolist() == naive_top_k(vectors, query, 5, within.tolist())
    (nothing,) = store.candidates(queries[:1], 5, within=np.empty(0, np.int64))
    assert nothing.tolist() == []


@pytest.mark.parametrize("count", [1, 2, 15, 16, 39])
def test_small_stores(make_store: MakeStore, count: int) -> None:
    vectors = unit_rows(count)
    store = make_store(vectors)
    for rows in store.candidates(vectors, 100):
        assert rows.tolist() == list(range(count))
    assert np.diag(store.products(vectors)) == pytest.approx(np.ones(count), abs=1e-6)


def test_threads_share_a_store(make_store: MakeStore) -> None:
    vectors = unit_rows(COUNT)
    store = make_store(vectors)

    def nearest(row: int) -> int:
        (rows,) = store.candidates(vectors[row : row + 1], 1)
        return int(top_k(store.products(vectors[row : row + 1], rows)[0], 1, rows)[1][0])

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(nearest, range(COUNT))) == list(range(COUNT))
    store.close()
