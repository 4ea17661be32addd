"""The gate: leave-one-out against a naive loop, and "not worse by more than two standard errors" at its very edge."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.adapters import CategoryAdapter, ExpectedGain, Fitted, GainPrior, LeaveOneOut, Ranks
from models.adapters.gate import ALLOWED_STANDARD_ERRORS, leave_one_out, spread_ratio
from models.arrays import Rows, Vectors


def mrr(value: float) -> Ranks:
    return Ranks(acc_at_1=0.5, mean_rank=2.0, mrr=value)


@given(st.lists(st.integers(1, 500), min_size=1, max_size=30))
def test_ranks_are_summed_up_by_their_definition(ranks: list[int]) -> None:
    figures = Ranks.of(np.array(ranks))
    assert figures.acc_at_1 == pytest.approx(sum(rank == 1 for rank in ranks) / len(ranks))
    assert figures.mean_rank == pytest.approx(sum(ranks) / len(ranks))
    assert figures.mrr == pytest.approx(sum(1 / rank for rank in ranks) / len(ranks))


@pytest.mark.parametrize("standard_error", [0.0, 0.01, 0.2])
@pytest.mark.parametrize("before", [0.3, 0.75])
def test_the_gate_lets_pass_what_lost_two_standard_errors_and_nothing_that_lost_more(
    before: float, standard_error: float
) -> None:
    edge = before - 2 * standard_error
    for after, passes in ((1.0, True), (before, True), (edge, True), (edge - 1e-6, False), (edge - 0.05, False)):
        figures = LeaveOneOut(mrr(before), mrr(after), standard_error)
        assert figures.passes_gate is passes
        assert Fitted(CategoryAdapter(np.zeros(2, np.float32)), figures).passes_gate is passes
    assert ALLOWED_STANDARD_ERRORS == 2.0


@pytest.mark.parametrize(
    ("after", "standard_error", "verdict"),
    [
        (0.5, 0.0, "did not get worse"),
        (0.7, 0.1, "did not get worse"),
        (0.45, 0.03, "got worse by no more than 2 standard errors"),
        (0.45, 0.02, "got worse by more than 2 standard errors"),
        (0.4999, 0.0, "got worse by more than 2 standard errors"),
    ],
)
def test_the_verdict_in_words_is_the_gates(after: float, standard_error: float, verdict: str) -> None:
    figures = LeaveOneOut(Ranks(0.4, 3.0, 0.5), Ranks(0.35, 3.5, after), standard_error)
    said = figures.explained()
    assert said.startswith(f"leave-one-out {verdict}: ")
    assert ("by more than" in verdict) is not figures.passes_gate
    assert f"mean of 1 / rank 0.500 before and {after:.3f} after (standard error {standard_error:.3f})" in said
    assert "first place 40% before and 35% after" in said


def test_each_photo_is_left_out_once_with_all_its_sketches() -> None:
    owners = np.array([2, 0, 2, 1, 0, 2])
    random = np.random.default_rng(0)
    table: dict[tuple[int, ...], Vectors] = {
        kept: random.random((6, 3)).astype(np.float32) for kept in ((1, 3, 4), (0, 2, 3, 5), (0, 1, 2, 4, 5))
    }
    plain = random.random((6, 3)).astype(np.float32)
    asked: list[list[int]] = []

    def before(held_out: Rows) -> Vectors:
        return plain[held_out]

    def after(held_out: Rows, kept: Rows) -> Vectors:
        asked.append(held_out.tolist())
        assert sorted([*held_out.tolist(), *kept.tolist()]) == list(range(6))
        return table[tuple(kept.tolist())][held_out]

    found = leave_one_out(owners, before, after)
    assert sorted(asked) == [[0, 2, 5], [1, 4], [3]]
    ranks: dict[str, list[float]] = {"before": [], "after": []}
    for sketch, owner in enumerate(owners):
        kept = tuple(row for row in range(6) if owners[row] != owner)
        for name, scores in (("before", plain[sketch]), ("after", table[kept][sketch])):
            ranks[name].append(sum(float(score) >= float(scores[owner]) for score in scores))
    assert found.before.mean_rank == pytest.approx(np.mean(ranks["before"]))
    assert found.after.mean_rank == pytest.approx(np.mean(ranks["after"]))
    differences = 1 / np.array(ranks["after"]) - 1 / np.array(ranks["before"])
    variance = sum((d - differences.mean()) ** 2 for d in differences) / 5
    assert found.standard_error == pytest.approx((variance / 6) ** 0.5)


def test_a_single_sketch_has_no_standard_error_and_is_fitted_to_nothing() -> None:
    kept_sizes: list[int] = []

    def after(held_out: Rows, kept: Rows) -> Vectors:
        kept_sizes.append(len(kept))
        return np.array([[0.1, 0.9]], np.float32)

    found = leave_one_out(np.array([0]), lambda _: np.array([[0.9, 0.1]], np.float32), after)
    assert kept_sizes == [0]
    assert found.standard_error == 0.0
    assert (found.before.mrr, found.after.mrr) == (1.0, 0.5)
    assert not found.passes_gate


def test_the_expected_gain_is_the_posterior_of_a_normal_mean() -> None:
    prior = GainPrior(mean=0.03, deviation=0.04, photos=1.0, noise=0.2)
    gains = np.array([0.1, -0.3, 0.05], np.float32)
    found = prior.expected(gains)
    assert found is not None
    variance = (4 * 0.2**2 + sum((gain - gains.mean()) ** 2 for gain in gains)) / (4 + 2) / 3
    grid = np.linspace(-1, 1, 200_001)
    density = np.exp(-((grid - 0.03 * 3 / 4) ** 2) / 2 / 0.04**2 - (grid - gains.mean()) ** 2 / 2 / variance)
    density /= density.sum()
    mean = float((grid * density).sum())
    assert found.mean == pytest.approx(mean, abs=1e-6)
    assert found.deviation == pytest.approx(float(((grid - mean) ** 2 * density).sum()) ** 0.5, abs=1e-6)


def test_many_examples_overrule_the_prior_and_few_do_not() -> None:
    prior = GainPrior(mean=0.03, deviation=0.04)
    losses = [prior.expected(np.full(count, -0.06, np.float32)) for count in (2, 60)]
    assert losses[0] is not None and losses[0].mean > 0
    assert losses[1] is not None and losses[1].mean < 0
    assert GainPrior().expected(np.zeros(3, np.float32)) is None


def test_a_fit_to_fewer_photos_than_the_active_one_is_expected_to_lose() -> None:
    prior = GainPrior(mean=0.03, deviation=0.04)
    nothing = np.zeros(1, np.float32)
    fewer, more = prior.expected(nothing, live_photos=5), GainPrior(mean=0.03, deviation=0.04).expected(nothing)
    assert fewer is not None and fewer.mean < 0
    assert more is not None and more.mean > 0


def test_where_something_is_expected_it_decides_and_is_said() -> None:
    for change, passes in ((0.02, True), (-0.001, False)):
        figures = LeaveOneOut(mrr(0.5), mrr(0.5 - change), 0.01, ExpectedGain(change, 0.04))
        assert figures.passes_gate is passes
        expected = f"a change of {change:+.3f} (standard deviation 0.040) in the mean of 1 / rank is expected"
        assert figures.explained().startswith(expected)


def test_the_spread_ratio_is_that_of_the_variances() -> None:
    random = np.random.default_rng(6)
    photos = random.normal(size=(40, 5)).astype(np.float32)
    owners = np.array([3, 3, 8, 21])
    sketches = random.normal(size=(4, 5)).astype(np.float32)
    means = [(sketches[0] + sketches[1]) / 2, sketches[2], sketches[3]]
    centre = sum(means) / 3
    among_sketches = sum(((mean - centre) ** 2).sum() for mean in means) / 2
    among_photos = ((photos - photos.mean(axis=0)) ** 2).sum() / 39
    assert spread_ratio(sketches, owners, photos) == pytest.approx(among_sketches / among_photos, rel=1e-5)
    assert spread_ratio(sketches[:2], owners[:2], photos) is None
    assert spread_ratio(sketches, owners, np.ones((40, 5), np.float32)) is None


def test_nothing_is_expected_where_sketches_spread_as_photos_do() -> None:
    prior = GainPrior(mean=0.04, deviation=0.05, usual_spread=0.5, known_spread=0.9)
    for ratio, mean in ((0.5, 0.04), (0.7, 0.02), (0.9, 0.0), (1.1, -0.02), (9.0, -0.04), (0.0, 0.06)):
        assert prior.for_spread(ratio).mean == pytest.approx(mean)
    assert prior.for_spread(None) == prior
    blind = GainPrior(mean=0.04, deviation=0.05)
    assert blind.for_spread(1.1) == blind
