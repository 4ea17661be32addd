"""The inner step against central differences of the triplet loss, written as its definition is."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from models.adapters.adapter import unit_rows
from models.adapters.inner_step import LowRankStep, Support, inner_step, pairwise_distances, triplet_weights
from models.arrays import Vectors

E, OUT = 6, 4
Matrix = NDArray[np.float64]


def drawn(*shape: int, seed: int) -> Vectors:
    rows: Vectors = np.random.default_rng(seed).normal(size=shape).astype(np.float32)
    return rows


def support(sketches: int = 4, photos: int = 5, seed: int = 0) -> Support:
    rows = drawn(sketches + photos, E, seed=seed)
    return Support(rows[:sketches], rows[sketches:], np.arange(sketches) % (photos - 1))


def loss(head: Vectors | Matrix, given: Support, margin: float, softness: float) -> float:
    """The mean over sketches and negatives of hinge(margin + |s - p| - |s - n|), all of length 1 after M.

    In float64, so that differences of it have digits left.
    """
    terms = []
    for sketch, own in zip(given.sketches.astype(np.float64), given.positives, strict=True):
        drawn = sketch @ head / np.linalg.norm(sketch @ head)
        distances = []
        for photo in given.photos:
            seen = photo @ head / np.linalg.norm(photo @ head)
            distances.append(math.sqrt(float(np.square(drawn - seen).sum())))
        for number, distance in enumerate(distances):
            if number == own:
                continue
            inside = margin + distances[own] - distance
            terms.append(softness * math.log1p(math.exp(inside / softness)) if softness else max(0.0, inside))
    return sum(terms) / len(terms)


def numeric_gradient(head: Vectors, given: Support, margin: float, softness: float) -> Matrix:
    gradient = np.zeros(head.shape)
    for place in np.ndindex(*head.shape):
        bump = np.zeros(head.shape)
        bump[place] = 1e-6
        ahead, behind = (loss(head + sign * bump, given, margin, softness) for sign in (1, -1))
        gradient[place] = (ahead - behind) / 2e-6
    return gradient


@pytest.mark.parametrize("softness", [0.05, 0.3, 0.0])
@pytest.mark.parametrize("margin", [0.2, 0.9])
@pytest.mark.parametrize("seed", [0, 1])
def test_the_gradient_is_that_of_the_loss(margin: float, softness: float, seed: int) -> None:
    given = support(seed=seed)
    head = drawn(E, OUT, seed=seed + 10)
    rows = given.rows()
    weights = triplet_weights(rows @ head, given, margin=margin, softness=softness)
    np.testing.assert_allclose(
        rows.T @ weights @ (rows @ head), numeric_gradient(head, given, margin, softness), atol=2e-6
    )


@pytest.mark.parametrize("identity", [False, True])
def test_a_step_is_the_head_less_rate_times_the_gradient(identity: bool) -> None:
    given = support()
    head = np.eye(E, dtype=np.float32) if identity else drawn(E, OUT, seed=2)
    step = inner_step(None if identity else head, given, margin=0.7, rate=0.3, softness=0.1)
    expected = head - 0.3 * numeric_gradient(head, given, 0.7, 0.1)
    np.testing.assert_allclose(step.head(head), expected, atol=1e-5)
    anything = drawn(7, E, seed=3)
    np.testing.assert_allclose(step.apply(anything, anything @ head), anything @ expected, atol=1e-5)


def test_a_step_lowers_the_loss() -> None:
    given, head = support(), np.eye(E, dtype=np.float32)
    step = inner_step(None, given, margin=0.8, rate=0.1, softness=0.0)
    assert loss(step.head(head), given, 0.8, 0.0) < loss(head, given, 0.8, 0.0)


def test_several_sketches_of_one_photo_are_no_negatives_of_each_other() -> None:
    given = Support(drawn(3, E, seed=4), drawn(2, E, seed=5), np.array([1, 1, 0]))
    assert given.negatives().tolist() == [[True, False], [True, False], [False, True]]
    rows = given.rows()
    assert rows.shape == (5, E)
    np.testing.assert_array_equal(rows[:3], given.sketches)


def test_without_a_negative_nothing_moves() -> None:
    given = Support(drawn(2, E, seed=4), drawn(1, E, seed=5), np.array([0, 0]))
    step = inner_step(None, given, margin=0.5, rate=10.0, softness=0.1)
    np.testing.assert_array_equal(step.weights, np.zeros((3, 3)))


def test_triplets_beyond_the_margin_are_left_alone() -> None:
    """Own photo equal to the sketch, negative opposite: further apart than any margin below 2."""
    sketch = np.zeros((1, E), np.float32)
    sketch[0, 0] = 1.0
    given = Support(sketch, np.concatenate([sketch, -sketch]), np.array([0]))
    step = inner_step(None, given, margin=1.5, rate=1.0, softness=0.0)
    np.testing.assert_array_equal(step.weights, np.zeros((3, 3)))


def test_a_sketch_that_equals_a_photo_has_a_finite_step() -> None:
    rows = drawn(3, E, seed=6)
    given = Support(rows[:1], rows, np.array([0]))
    step = inner_step(None, given, margin=1.9, rate=0.1, softness=0.05)
    assert np.isfinite(step.head(np.eye(E, dtype=np.float32))).all()


def test_distances_are_euclidean_and_never_zero() -> None:
    a, b = (unit_rows(drawn(count, E, seed=count)) for count in (3, 4))
    found = pairwise_distances(a, b)
    for row in range(3):
        for column in range(4):
            assert found[row, column] == pytest.approx(math.dist(a[row], b[column]), abs=1e-6)
    assert 0 < pairwise_distances(a, a)[0, 0] < 1e-3


def test_the_step_costs_the_support_and_not_the_space() -> None:
    wide = Support(drawn(3, 400, seed=8), drawn(9, 400, seed=9), np.arange(3))
    step = inner_step(None, wide, margin=0.5, rate=0.1, softness=0.05)
    assert isinstance(step, LowRankStep)
    assert (step.rows.shape, step.weights.shape, step.moved.shape) == ((12, 400), (12, 12), (12, 400))
    assert step.weights.dtype == np.float32
