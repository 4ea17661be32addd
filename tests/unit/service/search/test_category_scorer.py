"""Scores through adapters against the adapter's own definition, every photo embedded."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from index_builder.artifact import ExactStore
from models.adapters import CategoryAdapter, LowRankGram
from models.arrays import Vectors
from service.search.category_scorer import CategoryScorer, Products

DIM = 24


def photos_and_queries(seed: int, count: int) -> tuple[Vectors, Vectors]:
    """Unit rows that share a direction, as photos of a category do."""
    rng = np.random.default_rng(seed)
    rows = rng.standard_normal((count + 3, DIM)) + 2 * rng.standard_normal(DIM)
    unit: Vectors = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return unit[:count], unit[count:]


def adapters(seed: int, photos: Vectors) -> Iterator[CategoryAdapter]:
    rng = np.random.default_rng(seed)
    yield CategoryAdapter.centred(photos)
    for width in (3, DIM, 40):
        spread = rng.standard_normal((DIM, width)).astype(np.float32)
        yield CategoryAdapter(photos.mean(axis=0), spread).calibrated(photos)
    yield with_short_gram(rng, photos)
    apart = (rng.standard_normal(DIM) / 9).astype(np.float32)
    yield CategoryAdapter(photos.mean(axis=0), spread, sketch_mean=apart).calibrated(photos)


def with_short_gram(rng: np.random.Generator, photos: Vectors) -> CategoryAdapter:
    """A map that scales each number and turns three directions, with its square in short."""
    axes = np.linalg.qr(rng.standard_normal((DIM, 3)))[0].astype(np.float32)
    scales, gains = rng.uniform(0.5, 2, DIM).astype(np.float32), np.array([-0.5, -0.1, 0.7], np.float32)
    matrix: Vectors = (scales[:, None] * (np.eye(DIM) + axes * gains @ axes.T)).astype(np.float32)
    gram = LowRankGram.of_frame(axes, gains, scales)
    return CategoryAdapter(photos.mean(axis=0), matrix, gram=gram).calibrated(photos)


def products_of(vectors: Vectors) -> Products:
    store = ExactStore(vectors)
    return lambda query, rows: store.products(query[None], rows)[0]


def scorer_of(adapter: CategoryAdapter, vectors: Vectors, rows: NDArray[np.int64]) -> CategoryScorer:
    return CategoryScorer.of(adapter, None, rows, lambda wanted: iter([vectors[wanted[:2]], vectors[wanted[2:]]]))


@pytest.mark.parametrize("seed", range(5))
def test_scores_are_those_of_the_definition(seed: int) -> None:
    vectors, queries = photos_and_queries(seed, 40)
    rows = np.flatnonzero(np.random.default_rng(seed).random(40) < 0.6)
    for adapter in adapters(seed, vectors[rows]):
        scorer = scorer_of(adapter, vectors, rows)
        for query in queries:
            naive = adapter.scores(adapter.embed_sketches(query[None]), adapter.embed_photos(vectors[rows]))[0]
            for k in (1, 7, 100):
                scores, found = scorer.top_k(query, k, products_of(vectors))
                order = np.lexsort((rows, -naive))[:k]
                np.testing.assert_allclose(scores, naive[order], atol=2e-6)
                assert found.tolist() == rows[order].tolist()


def test_some_of_the_rows_score_as_among_all() -> None:
    vectors, queries = photos_and_queries(0, 60)
    rows = np.arange(5, 55)
    within = np.array([5, 11, 12, 40, 54])
    for adapter in adapters(0, vectors[rows]):
        scorer = scorer_of(adapter, vectors, rows)
        products = products_of(vectors)
        scores, found = scorer.top_k(queries[0], 99, products)
        every = dict(zip(found.tolist(), scores.tolist(), strict=True))
        scores, found = scorer.top_k(queries[0], 4, products, within)
        assert dict(zip(found.tolist(), scores.tolist(), strict=True)).items() <= every.items()
        assert found.tolist() == sorted(within.tolist(), key=lambda row: -every[row])[:4]
        assert scorer.top_k(queries[0], 4, products, within[:0])[1].tolist() == []


@pytest.mark.parametrize("k", [1, 7, 40])
def test_the_nearest_of_several_queries_are_those_of_each(k: int) -> None:
    vectors, queries = photos_and_queries(2, 40)
    rows = np.flatnonzero(np.random.default_rng(2).random(40) < 0.6)
    for adapter in adapters(2, vectors[rows]):
        scorer = scorer_of(adapter, vectors, rows)
        found = scorer.nearest(
            queries, k, lambda weights, of: iter([weights @ vectors[of[:4]].T, weights @ vectors[of[4:]].T])
        )
        for query, own in zip(queries, found, strict=True):
            assert sorted(own.tolist()) == sorted(scorer.top_k(query, k, products_of(vectors))[1].tolist())


@settings(max_examples=60, deadline=None)
@given(copies=st.lists(st.integers(0, 3), min_size=1, max_size=40), k=st.integers(1, 50))
def test_photos_that_look_the_same_tie_and_come_in_row_order(copies: list[int], k: int) -> None:
    different, queries = photos_and_queries(1, 4)
    vectors = different[copies]
    rows = np.arange(len(copies))
    for adapter in adapters(1, vectors):
        scorer = scorer_of(adapter, vectors, rows)
        scores, found = scorer.top_k(queries[0], k, products_of(vectors))
        assert len(found) == min(k, len(copies))
        assert scores.tolist() == sorted(scores.tolist(), reverse=True)
        for copy in set(copies):
            own = [row for row in found.tolist() if copies[row] == copy]
            assert own == [row for row in rows.tolist() if copies[row] == copy][: len(own)]


def test_a_photo_that_is_the_mean_is_neither_near_nor_far() -> None:
    vectors = np.eye(4, dtype=np.float32)
    adapter = CategoryAdapter(vectors[2].copy(), None, 0.5, 0.1)
    scorer = scorer_of(adapter, vectors, np.arange(4))
    scores, found = scorer.top_k(vectors[2], 4, products_of(vectors))
    assert found.tolist() == [0, 1, 2, 3]
    np.testing.assert_allclose(scores, 0.1)


def test_equal_photos_have_equal_lengths_wherever_they_stand() -> None:
    different, _ = photos_and_queries(3, 4)
    rng = np.random.default_rng(3)
    for count in range(1, 80):
        copies = rng.integers(0, 4, count)
        vectors = different[copies]
        for adapter in adapters(3, vectors):
            scorer = scorer_of(adapter, vectors, np.arange(count))
            for copy in set(copies.tolist()):
                assert len(set(scorer.inverse[copies == copy].tolist())) == 1
            # Whoever is no copy keeps its own.
            lengths = adapter.photo_lengths(vectors)
            told = lengths > 1e-3
            np.testing.assert_allclose(scorer.inverse[told] * lengths[told], 1.0, rtol=1e-4)
