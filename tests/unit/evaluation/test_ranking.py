"""Ranks and top lists with ties, each against a loop from its definition."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from index_builder.stores.ranking import top_k
from models.ranking import TIE, best_ranks_of, ranks_of, top_columns

VALUES = st.sampled_from([-1.0, 0.0, 0.25, 0.25 + TIE / 2, 0.25 + 2 * TIE, 0.5, -np.inf])
SCORES = arrays.arrays(np.float64, st.tuples(st.integers(1, 4), st.integers(1, 12)), elements=VALUES)


def naive_rank(row: list[float], target: int) -> int:
    """One more than the photos that are better than the right one, or as good."""
    rank = 1
    for column, score in enumerate(row):
        if column != target and (score >= row[target] - TIE or math.isnan(score)):
            rank += 1
    return rank


@settings(max_examples=100, deadline=None)
@given(SCORES, st.data())
def test_ranks_are_those_of_a_loop(scores: np.ndarray, data: st.DataObject) -> None:
    columns = st.integers(0, scores.shape[1] - 1)
    targets = np.array(data.draw(st.lists(columns, min_size=len(scores), max_size=len(scores))))
    expected = [naive_rank(row, target) for row, target in zip(scores.tolist(), targets.tolist(), strict=True)]
    assert ranks_of(scores, targets).tolist() == expected


@settings(max_examples=100, deadline=None)
@given(SCORES, st.data())
def test_the_best_of_several_right_photos_has_the_rank_of_a_loop(scores: np.ndarray, data: st.DataObject) -> None:
    right = data.draw(arrays.arrays(np.bool_, scores.shape))
    expected = []
    for row, shown in zip(scores.tolist(), right.tolist(), strict=True):
        best = max((score for score, is_right in zip(row, shown, strict=True) if is_right), default=-math.inf)
        wrong = [score for score, is_right in zip(row, shown, strict=True) if not is_right]
        expected.append(1 + sum(score >= best - TIE for score in wrong))
    assert best_ranks_of(scores, right).tolist() == expected


def test_right_photos_do_not_count_against_each_other_and_numbers_that_are_none_do() -> None:
    scores = np.array([[0.5, 0.5, 0.5, 0.1], [np.nan, 0.4, np.nan, 0.1], [np.nan, 0.4, 0.1, 0.1]])
    right = np.array([[True, True, False, False], [False, True, False, False], [True, False, False, False]])
    assert best_ranks_of(scores, right).tolist() == [2, 3, 4]


@settings(max_examples=100, deadline=None)
@given(SCORES, st.integers(1, 14))
def test_top_lists_are_those_of_sorting_by_score_and_column(scores: np.ndarray, k: int) -> None:
    expected = [sorted(range(len(row)), key=lambda column: (-row[column], column))[:k] for row in scores.tolist()]
    assert top_columns(scores, k).tolist() == expected


@pytest.mark.parametrize("k", [1, 3, 5])
def test_top_lists_agree_with_the_index(k: int) -> None:
    random = np.random.default_rng(0)
    photos = random.normal(size=(9, 4)).astype(np.float32)
    photos[[2, 5, 7]] = photos[0]
    scores = photos @ (photos[0] + 0.1 * photos[3])
    scores[[2, 5, 7]] = scores[0]
    _, rows = top_k(scores, k)
    assert top_columns(scores[None], k)[0].tolist() == rows.tolist()


def test_an_encoder_that_answers_alike_is_last() -> None:
    assert ranks_of(np.zeros((1, 5)), np.array([2])).tolist() == [5]
    assert ranks_of(np.array([[0.5, 0.9, 0.5]]), np.array([0])).tolist() == [3]


def test_what_is_not_a_number_is_never_a_hit() -> None:
    scores = np.array([[np.nan, 0.1, 0.2], [0.9, np.nan, 0.1], [-np.inf, -np.inf, -np.inf]])
    assert ranks_of(scores, np.array([0, 0, 1])).tolist() == [3, 2, 3]
    assert top_columns(scores, 2).tolist() == [[2, 1], [0, 2], [0, 1]]


def test_nearly_equal_is_equal_and_what_lies_further_apart_is_not() -> None:
    scores = np.array([[0.5, 0.5 - 1e-8, 0.5 + 1e-8, 0.4]])
    assert [int(ranks_of(scores, np.array([column]))[0]) for column in range(4)] == [3, 3, 3, 4]
    assert ranks_of(np.array([[0.5, 0.5 + 2 * TIE]]), np.array([1])).tolist() == [1]
