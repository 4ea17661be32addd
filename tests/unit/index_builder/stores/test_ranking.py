"""The shared ranking against sorting by (-score, row)."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index_builder.stores.exact import ExactStore
from index_builder.stores.ranking import top_k


# Few different scores, so that ties lie on both sides of most cuts.
@settings(max_examples=100, deadline=None)
@given(scores=st.lists(st.integers(-3, 3), max_size=60), k=st.integers(0, 70), first_row=st.integers(0, 9))
def test_ranking_is_the_naive_one_ties_included(scores: list[int], k: int, first_row: int) -> None:
    rows = [first_row + 2 * position for position in range(len(scores))]
    expected = sorted(zip(rows, scores, strict=True), key=lambda pair: (-pair[1], pair[0]))[:k]
    best, best_rows = top_k(np.array(scores, np.float32), k, np.array(rows, np.int64))
    assert best_rows.tolist() == [row for row, _ in expected]
    assert best.tolist() == [score for _, score in expected]


# Small integers: their inner products are exact in float32, so ties are true ties.
@settings(max_examples=60, deadline=None)
@given(
    gallery=st.lists(st.lists(st.integers(-2, 2), min_size=3, max_size=3), min_size=1, max_size=60),
    query=st.lists(st.integers(-2, 2), min_size=3, max_size=3),
    k=st.integers(1, 70),
    block_rows=st.integers(1, 64),
)
def test_scoring_and_ranking_a_store_is_exact_search(
    gallery: list[list[int]], query: list[int], k: int, block_rows: int
) -> None:
    vectors, vector = np.array(gallery, np.float32), np.array(query, np.float32)
    naive = [sum(a * b for a, b in zip(row, query, strict=True)) for row in gallery]
    scores, rows = top_k(ExactStore(vectors, block_rows=block_rows).products(vector[None])[0], k)
    assert rows.tolist() == sorted(range(len(gallery)), key=lambda row: (-naive[row], row))[:k]
    assert scores.tolist() == [naive[row] for row in rows]


@pytest.mark.parametrize("k", [0, 3])
def test_nothing_to_rank(k: int) -> None:
    scores, rows = top_k(np.empty(0, np.float32), k)
    assert (scores.shape, rows.shape) == ((0,), (0,))
    assert (scores.dtype.name, rows.dtype.name) == ("float32", "int64")


def test_the_scores_are_not_written_into() -> None:
    scores = np.array([1, 3, 2], np.float32)
    top_k(scores, 2)
    assert scores.tolist() == [1, 3, 2]


@pytest.mark.parametrize("count", [511, 512, 513, 2_000])
@pytest.mark.parametrize("k", [1, 10, 600])
def test_ties_are_broken_alike_however_many_scores_there_are(count: int, k: int) -> None:
    scores = np.random.default_rng(count).integers(0, 9, count).astype(np.float32)
    rows = np.arange(count, dtype=np.int64) * 3
    expected = sorted(zip(rows.tolist(), scores.tolist(), strict=True), key=lambda pair: (-pair[1], pair[0]))[:k]
    best, best_rows = top_k(scores, k, rows)
    assert list(zip(best_rows.tolist(), best.tolist(), strict=True)) == expected
