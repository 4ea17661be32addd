from __future__ import annotations

import numpy as np
import pytest

from models.evaluation.reliability import area_under_curve, calibration_error, log_loss, reliability


def test_bins_by_hand() -> None:
    confidences = np.array([0.9, 0.1, 0.2, 0.8] * 5)
    right = np.array([True, False, False, True] * 5)
    measured = reliability(confidences, right, np.arange(20))
    assert [part.count for part in measured.bins] == [2] * 10
    assert [part.right for part in measured.bins][:4] == [0.0] * 4
    assert measured.bins[0].confidence == pytest.approx(0.1)
    assert measured.bins[-1].confidence == pytest.approx(0.9)
    # Two bins hold a 0.1 and a 0.2, or a 0.8 and a 0.9; the gap of each result is 0.1 or 0.2.
    assert measured.error == pytest.approx(0.15)
    assert measured.log_loss == pytest.approx(-np.log([0.9, 0.9, 0.8, 0.8]).mean())
    assert measured.count == 20


def test_true_probabilities_have_no_error_but_chance() -> None:
    random = np.random.default_rng(0)
    p = random.random(50_000)
    right = random.random(50_000) < p
    assert calibration_error(p, right) < 0.01
    assert calibration_error(p**2, right) > 0.1
    assert log_loss(p, right) < log_loss(p**2, right)
    held = sum(
        part.interval is not None and part.interval.low <= part.confidence <= part.interval.high
        for part in reliability(p, right, np.arange(50_000)).bins
    )
    assert held >= 8  # of ten intervals of 95 %


def test_certainty_that_is_wrong_costs_much_but_not_everything() -> None:
    assert log_loss(np.array([1.0]), np.array([False])) == pytest.approx(-np.log(1e-6))


def test_the_area_under_the_curve_counts_pairs() -> None:
    random = np.random.default_rng(1)
    positive, negative = random.integers(0, 5, 40) / 5, random.integers(0, 4, 30) / 5
    pairs = [1.0 if p > n else 0.5 if p == n else 0.0 for p in positive for n in negative]
    assert area_under_curve(positive, negative) == pytest.approx(np.mean(pairs))
