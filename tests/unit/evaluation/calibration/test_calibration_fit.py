"""Calibrations of synthetic searches whose true probabilities are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from models.evaluation.calibration.fit import NONSENSE_WEIGHT, Fitted, fit_calibration
from models.evaluation.calibration.searches import Scored, Searches, joined, searches

SLOPE, REFERENCE, AGREEMENT, OFFSET = 12.0, -10.0, 3.0, 0.5


def truth(best: NDArray[np.float64], mean: NDArray[np.float64], alike: NDArray[np.float64]) -> NDArray[np.float64]:
    logits: NDArray[np.float64] = SLOPE * best + REFERENCE * mean + AGREEMENT * alike + OFFSET
    return 1 / (1 + np.exp(-logits))


def synthetic(seed: int, count: int, *, present: bool = True, low: float = 0.0) -> Searches:
    """Searches that are right with the probability of the formula, in 40 groups."""
    random = np.random.default_rng(seed)
    scores = -np.sort(-random.normal(0.4 + low, 0.12, (count, 10)), axis=1)
    scores[:, 0] += random.normal(0.0, 0.15, count).clip(0)
    alike = random.uniform(-0.2, 0.6, count)
    p = truth(scores[:, 0], scores.mean(axis=1), alike)
    right = (random.random(count) < p) & present
    groups = np.array([f"kind {number % 40}" for number in range(count)])
    return Searches(f"domain {seed}", scores, alike, right, np.full(count, present), groups)


def with_absent(seed: int, count: int) -> Searches:
    there, gone = synthetic(seed, count), synthetic(seed + 100, count, present=False)
    return Searches(
        there.domain,
        np.concatenate([there.scores, gone.scores]),
        np.concatenate([there.likeness, gone.likeness]),
        np.concatenate([there.right, gone.right]),
        np.concatenate([there.present, gone.present]),
        np.concatenate([there.groups, gone.groups]),
    )


def test_the_true_probabilities_are_found() -> None:
    fitted = fit_calibration([with_absent(0, 12_000), with_absent(1, 6_000)], use_likeness=True)
    assert fitted is not None
    calibration = fitted.calibration
    assert 1 / calibration.temperature == pytest.approx(SLOPE, rel=0.15)
    assert calibration.reference == pytest.approx(REFERENCE, rel=0.15)
    assert calibration.agreement == pytest.approx(AGREEMENT, rel=0.15)
    fresh = synthetic(7, 2_000)
    expected = truth(fresh.scores[:, 0], fresh.scores.mean(axis=1), fresh.likeness)
    found = [
        calibration.confidences(scores, alike)[0]
        for scores, alike in zip(fresh.scores, fresh.likeness.tolist(), strict=True)
    ]
    np.testing.assert_allclose(found, expected, atol=0.03)
    assert fitted.reliability.error < 0.02
    assert fitted.reliability.count == 18_000  # those whose right photo was there


def test_the_threshold_admits_one_false_alarm_in_ten() -> None:
    fitted = fit_calibration([with_absent(2, 12_000)], use_likeness=True)
    assert fitted is not None
    fresh, gone = synthetic(8, 4_000), synthetic(9, 4_000, present=False)
    judge = fitted.calibration

    def best(part: Searches) -> NDArray[np.float64]:
        return np.array([judge.confidences(s, a)[0] for s, a in zip(part.scores, part.likeness.tolist(), strict=True)])

    assert (best(fresh)[fresh.right] < judge.threshold).mean() == pytest.approx(0.1, abs=0.02)
    figures = judge.metrics["cross_fitted"]["domain 2"]
    assert figures["false_alarms"] == pytest.approx(0.1, abs=0.01)
    assert figures["misses"] == pytest.approx((best(gone) >= judge.threshold).mean(), abs=0.02)
    assert figures["error"] < 0.02 < figures["error_before"]


def test_a_group_is_judged_by_fits_without_it() -> None:
    """A group whose first results are always right says so of itself alone: left out, it looks like the others."""
    part = synthetic(3, 4_000)
    odd = part.groups == "kind 0"
    right = np.where(odd, True, part.right)
    fitted = fit_calibration(
        [Searches("d", part.scores, part.likeness, right, part.present, part.groups)], use_likeness=True
    )
    assert fitted is not None
    p = truth(part.scores[:, 0], part.scores.mean(axis=1), part.likeness)
    assert fitted.calibration.metrics["cross_fitted"]["d"]["right"] == pytest.approx(right.mean(), abs=1e-4)
    # With all of its 100 searches in the fit, the odd group would pull the loss down; the truth of the others stays.
    assert fitted.reliability.log_loss > -np.log(np.where(right, p, 1 - p)).mean() - 0.02


def test_domains_count_the_same_whatever_their_size() -> None:
    large, small = synthetic(4, 8_000), synthetic(5, 400)
    wrong = Searches("small", small.scores, small.likeness, ~small.right, small.present, small.groups)
    one = fit_calibration([large], use_likeness=True)
    both = fit_calibration([large, wrong], use_likeness=True)
    assert one is not None
    assert both is not None
    assert 1 / both.calibration.temperature < 0.5 / one.calibration.temperature


def test_nothing_to_fit() -> None:
    part = synthetic(6, 200)
    always = Searches("d", part.scores, part.likeness, part.present, part.present, part.groups)
    assert fit_calibration([always], use_likeness=False) is None


def test_searches_are_the_ten_best_of_those_that_are_there() -> None:
    random = np.random.default_rng(0)
    scores = random.random((6, 30))
    right = np.zeros((6, 30), bool)
    right[np.arange(6), random.integers(0, 30, 6)] = True
    right[5] = scores[5] > np.sort(scores[5])[-4]
    photos = random.standard_normal((30, 4)).astype(np.float32)
    photos /= np.linalg.norm(photos, axis=1, keepdims=True)
    scored = Scored("d", scores, right, np.arange(6).astype(str), photos)
    whole = searches(scored, absent=False, size=None)
    gone = searches(scored, absent=True, size=None)
    for row in range(6):
        order = np.argsort(-scores[row])
        np.testing.assert_array_equal(whole.scores[row], scores[row, order[:10]])
        assert whole.right[row] == right[row, order[0]]
        assert whole.likeness[row] == pytest.approx(float((photos[order[1:10]] @ photos[order[0]]).mean()), abs=1e-6)
        left = order[~right[row, order]]
        np.testing.assert_array_equal(gone.scores[row], scores[row, left[:10]])
    assert not gone.right.any()
    assert not gone.present.any()
    few = searches(scored, absent=False, size=6)
    assert np.isfinite(few.scores).sum(axis=1).tolist() == [6] * 6
    assert all(np.isin(scores[row][right[row]], few.scores[row]).any() for row in range(6))


def test_drawings_of_nothing_take_confidence_from_searches_like_theirs_alone() -> None:
    """Their ten best photos are alike, whatever the score: where a drawing's are, it is less likely to be right."""
    real, nothing = with_absent(10, 6_000), synthetic(11, 1_200, present=False)
    nothing = replace(nothing, domain="nothing", likeness=nothing.likeness + 0.6, nonsense=True)
    assert not nothing.present.any() and nothing.fitted.all()
    np.testing.assert_array_equal(real.fitted, real.present)
    without, fitted = (fit_calibration(d, use_likeness=True) for d in ([real], [real, nothing]))
    assert without is not None
    assert fitted is not None
    scores = np.full(10, 0.45)
    before, after = (
        [fit.calibration.confidences(scores, alike)[0] for alike in (0.0, 1.0)] for fit in (without, fitted)
    )
    assert after[1] < 0.5 * before[1]
    assert after[0] > 0.8 * before[0]
    figures = fitted.calibration.metrics["cross_fitted"]["nothing"]
    assert figures.keys() == {"searches", "confident", "misses"}
    assert figures["confident"] < 0.5 * (np.mean(_best(without, nothing) > 0.5))
    assert figures["misses"] == pytest.approx(np.mean(_best(fitted, nothing) >= fitted.calibration.threshold), abs=0.03)
    assert fitted.reliability.count == 6_000  # diagrams are of drawings of something


def test_drawings_of_nothing_count_half_of_a_split_whatever_their_number() -> None:
    real, few = synthetic(12, 4_000), synthetic(13, 300, present=False)
    few = replace(few, likeness=few.likeness + 0.6, nonsense=True)
    many = replace(joined([few] * 20, few.domain), nonsense=True)
    one, two = (fit_calibration([real, part], use_likeness=True) for part in (few, many))
    assert one is not None
    assert two is not None
    np.testing.assert_allclose(_best(one, real), _best(two, real), atol=5e-3)
    # A weighted logistic regression with an offset gives all domains together their weighted share of right results.
    together = (np.mean(_best(one, real)) + NONSENSE_WEIGHT * np.mean(_best(one, few))) / (1 + NONSENSE_WEIGHT)
    assert together == pytest.approx(real.right.mean() / (1 + NONSENSE_WEIGHT), abs=5e-3)


def _best(fitted: Fitted, part: Searches) -> NDArray[np.float64]:
    judge = fitted.calibration
    pairs = zip(part.scores, part.likeness.tolist(), strict=True)
    return np.array([judge.confidences(scores, alike)[0] for scores, alike in pairs])
