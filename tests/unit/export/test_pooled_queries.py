from __future__ import annotations

import numpy as np
import pytest

from models.export.precision.pooled_queries import LossTooHigh, QueryOutcomes, pooled_difference


def outcomes(first: np.ndarray, groups: np.ndarray | None = None) -> QueryOutcomes:
    names = np.arange(len(first)) if groups is None else groups
    return QueryOutcomes(first.astype(bool), names.astype(str))


def test_the_difference_is_that_of_all_queries_and_its_interval_that_of_the_pairs() -> None:
    random = np.random.default_rng(0)
    parent = {name: random.random(size) < 0.5 for name, size in (("shoes", 300), ("chairs", 900))}
    # Four queries of a hundred change, as often for the better as for the worse.
    turned = {name: np.where(random.random(len(first)) < 0.04, ~first, first) for name, first in parent.items()}
    pooled = pooled_difference(
        {name: outcomes(first) for name, first in turned.items()},
        {name: outcomes(first) for name, first in parent.items()},
    )
    added = np.concatenate([turned[name].astype(float) - parent[name] for name in parent])
    assert pooled.queries == 1200
    assert pooled.value == pytest.approx(added.mean())
    assert (pooled.only_this, pooled.only_other) == ((added > 0).sum(), (added < 0).sum())
    assert pooled.interval is not None
    half = 1.96 * added.std() / np.sqrt(1200)  # the normal approximation of the same interval
    assert pooled.interval.low == pytest.approx(added.mean() - half, abs=0.002)
    assert pooled.interval.high == pytest.approx(added.mean() + half, abs=0.002)


def test_queries_of_a_group_count_as_one() -> None:
    """Forty groups that turn as a whole: the interval is that of forty, not of four hundred."""
    random = np.random.default_rng(1)
    groups = np.repeat(np.arange(40), 10)
    change = np.repeat(random.choice([-1, 0, 1], 40), 10)
    parent, variant = change < 1, change > -1  # -1: lost, 0: both right, 1: gained
    together = pooled_difference({"a": outcomes(variant, groups)}, {"a": outcomes(parent, groups)}).interval
    apart = pooled_difference({"a": outcomes(variant)}, {"a": outcomes(parent)}).interval
    assert together is not None
    assert apart is not None
    assert (together.high - together.low) / (apart.high - apart.low) == pytest.approx(np.sqrt(10), rel=0.15)


def gate(lost: int, gained: int, queries: int = 4000) -> None:
    parent, variant = np.ones(queries, bool), np.ones(queries, bool)
    variant[:lost] = False
    parent[lost : lost + gained] = False
    pooled_difference({"all": outcomes(variant)}, {"all": outcomes(parent)}).require_loss_within(0.005)


def test_the_gate_looks_at_the_far_end_of_the_interval() -> None:
    gate(40, 40)  # no difference, +- 0.44 points
    gate(0, 0)
    with pytest.raises(LossTooHigh, match=r"-0\.30 points of acc@1 .* over 4,000 queries; .* 0\.5 points") as lost:
        gate(46, 34)  # 0.3 points lost, but up to 0.7 cannot be excluded
    assert lost.value.measured == pytest.approx(0.0074, abs=0.0004)
    assert lost.value.required == 0.005
    with pytest.raises(LossTooHigh):
        gate(4, 4, queries=400)  # the same share of changes among too few queries


def test_one_group_excludes_nothing() -> None:
    same = {"a": outcomes(np.ones(5), np.zeros(5))}
    with pytest.raises(LossTooHigh):
        pooled_difference(same, same).require_loss_within(0.5)
