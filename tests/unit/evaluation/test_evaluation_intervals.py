"""Intervals against drawing photos by hand, and what they are for: coverage."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.evaluation.intervals import bootstrap
from models.evaluation.paired import paired
from models.evaluation.rankings import first_columns
from models.ranking import TIE, ranks_of


@pytest.mark.parametrize("seed", [0, 7])
def test_intervals_are_those_of_drawing_photos_by_hand(seed: int) -> None:
    random = np.random.default_rng(1)
    photos = random.integers(0, 9, size=30) * 5  # numbers with holes between them
    values = np.stack([random.integers(0, 2, 30), 1 / random.integers(1, 20, 30)], axis=1)
    names = sorted(set(photos.tolist()))
    draws = np.random.default_rng(seed)
    means: list[list[float]] = [[], []]
    for _ in range(300):
        rows = [row for pick in draws.integers(0, len(names), size=len(names)) for row in range(30)
                if photos[row] == names[pick]]  # fmt: skip
        for column in (0, 1):
            means[column].append(sum(values[row, column] for row in rows) / len(rows))
    found = bootstrap(values, photos, seed, resamples=300)
    assert found is not None
    for column in (0, 1):
        assert found[column].low == pytest.approx(np.percentile(means[column], 2.5))
        assert found[column].high == pytest.approx(np.percentile(means[column], 97.5))


def test_sketches_that_fare_alike_make_no_interval_narrower() -> None:
    """Each of 40 photos three times over says nothing more than each once."""
    hits = np.random.default_rng(0).integers(0, 2, size=(40, 1)).astype(float)
    once = bootstrap(hits, np.arange(40))
    thrice = bootstrap(np.repeat(hits, 3, axis=0), np.repeat(np.arange(40), 3))
    assert once == thrice


def test_the_true_share_is_inside_about_as_often_as_promised() -> None:
    inside = 0
    for seed in range(200):
        random = np.random.default_rng(seed)
        ease = random.random(60) < 0.5  # a photo is found by nearly all of its sketches, or by nearly none
        hits = random.random((60, 3)) < np.where(ease, 0.9, 0.1)[:, None]
        (interval,) = bootstrap(hits.reshape(-1, 1).astype(float), np.repeat(np.arange(60), 3), resamples=200) or ()
        inside += interval.low <= 0.5 <= interval.high
    assert 180 <= inside <= 198  # 95 % of 200, give or take


def test_a_difference_on_the_same_queries_is_surer_than_two_intervals_are() -> None:
    """A competitor that misses a tenth of what this finds and finds nothing else: intervals overlap, yet it is sure."""
    random = np.random.default_rng(0)
    this = np.where(random.random(300) < 0.5, 1, 7)
    other = np.where((this == 1) & (random.random(300) < 0.1), 2, this)
    pair = paired(this, other, np.arange(300))
    lost = int(((this == 1) & (other != 1)).sum())
    assert (pair.both, pair.only_this, pair.only_other) == (int((other == 1).sum()), lost, 0)
    assert pair.neither == 300 - int((this == 1).sum())
    difference = pair.differences["acc_at_1"]
    assert difference.value == pytest.approx(lost / 300)
    assert difference.interval is not None
    assert 0 < difference.interval.low < difference.value < difference.interval.high
    (alone,) = bootstrap((this == 1)[:, None].astype(float), np.arange(300)) or ()
    assert difference.interval.high - difference.interval.low < 0.7 * (alone.high - alone.low)
    assert pair.differences["mean_rank"].value == pytest.approx(-lost / 300)


def test_one_photo_has_no_interval_and_no_misses_none_of_any_width() -> None:
    assert bootstrap(np.ones((3, 1)), np.zeros(3, dtype=np.int64)) is None
    (interval,) = bootstrap(np.ones((6, 1)), np.arange(6)) or ()
    assert (interval.low, interval.high) == (1.0, 1.0)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from([-1.0, 0.0, 0.25, 0.25 + TIE / 2, 0.5, -np.inf]), min_size=1, max_size=25),
    st.integers(0, 24),
)
def test_the_right_photo_is_shown_where_its_rank_says(scores: list[float], target: int) -> None:
    row, targets = np.array([scores]), np.array([target % len(scores)])
    rank = int(ranks_of(row, targets)[0])
    order, _ = first_columns(row, targets)
    assert len(set(order[0].tolist())) == min(10, len(scores))
    if np.isfinite(row[0, targets[0]]):
        assert (targets[0] in order[0]) == (rank <= 10)
        if rank <= 10:
            assert order[0].tolist().index(targets[0]) == rank - 1
