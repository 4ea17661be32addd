"""The predicted margin against a naive pass through its layers, and its parameters against wrong files."""

from __future__ import annotations

import math
from dataclasses import fields

import numpy as np
import pytest

from models.adapters.inner_step import Support
from models.adapters.margin import PAIR_FEATURES, MarginPredictor, pair_features
from models.arrays import Vectors

E = 5


def drawn(*shape: int, seed: int = 0) -> Vectors:
    array: Vectors = np.random.default_rng(seed).normal(size=shape).astype(np.float32)
    return array


def support(sketches: int = 4, photos: int = 6) -> Support:
    return Support(drawn(sketches, E), drawn(photos, E, seed=1), np.arange(sketches) % photos)


def random_predictor(hidden: int = 7) -> MarginPredictor:
    shapes = [(PAIR_FEATURES, hidden), (hidden,), (hidden, hidden), (hidden,), (hidden,), (1,)]
    return MarginPredictor(*(drawn(*shape, seed=number) for number, shape in enumerate(shapes)))


def naive_features(head: Vectors | None, given: Support) -> list[list[float]]:
    rows = []
    for sketch, own in zip(given.sketches, given.positives, strict=True):
        distances = []
        for photo in given.photos:
            a, b = (x if head is None else x @ head for x in (sketch, photo))
            distances.append(math.dist(a / np.linalg.norm(a), b / np.linalg.norm(b)))
        others = [distance for number, distance in enumerate(distances) if number != own]
        rows.append([distances[own], min(others, default=2.0), sum(others) / len(others) if others else 2.0])
    return rows


@pytest.mark.parametrize("with_head", [False, True])
def test_pairs_are_described_by_their_distances(with_head: bool) -> None:
    head = drawn(E, 3, seed=9) if with_head else None
    np.testing.assert_allclose(pair_features(head, support()), naive_features(head, support()), atol=1e-5)


def test_a_pair_without_a_negative_is_as_far_as_can_be() -> None:
    given = Support(drawn(2, E), drawn(1, E, seed=1), np.array([0, 0]))
    assert pair_features(None, given)[:, 1:].tolist() == [[2.0, 2.0], [2.0, 2.0]]


def test_the_margin_is_the_networks() -> None:
    predictor, given = random_predictor(), support()
    pairs = []
    for features in naive_features(None, given):
        pairs.append(np.tanh(np.array(features) @ predictor.inner_weight + predictor.inner_bias))
    pooled = np.tanh(np.mean(pairs, axis=0) @ predictor.outer_weight + predictor.outer_bias)
    logit = float(pooled @ predictor.last_weight + predictor.last_bias[0])
    assert predictor.predict(None, given) == pytest.approx(1 / (1 + math.exp(-logit)), abs=1e-5)


def test_the_order_of_the_pairs_and_the_axes_do_not_count() -> None:
    predictor, given = random_predictor(), support()
    order = np.array([2, 0, 3, 1])
    shuffled = Support(given.sketches[order], given.photos, given.positives[order])
    rotation = np.linalg.qr(drawn(E, E, seed=3))[0].astype(np.float32)
    turned = Support(given.sketches @ rotation, given.photos @ rotation, given.positives)
    expected = predictor.predict(None, given)
    assert predictor.predict(None, shuffled) == pytest.approx(expected, abs=1e-6)
    assert predictor.predict(None, turned) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("margin", [0.05, 0.3, 0.95])
def test_a_constant_predictor_is_constant(margin: float) -> None:
    predictor = MarginPredictor.constant(margin)
    for given in (support(), support(1, 2), support(6, 9)):
        assert predictor.predict(None, given) == pytest.approx(margin, abs=1e-6)


def test_parameters_survive_being_stored() -> None:
    predictor = random_predictor()
    again = MarginPredictor.from_arrays(predictor.arrays())
    for field in fields(MarginPredictor):
        np.testing.assert_array_equal(getattr(again, field.name), getattr(predictor, field.name))


@pytest.mark.parametrize("name", sorted(MarginPredictor.constant(0.3).arrays()))
def test_missing_and_misshapen_parameters_are_rejected(name: str) -> None:
    arrays = random_predictor().arrays()
    with pytest.raises(KeyError, match=name):
        MarginPredictor.from_arrays({key: value for key, value in arrays.items() if key != name})
    with pytest.raises(ValueError, match="has shape"):
        MarginPredictor.from_arrays({**arrays, name: np.zeros((*arrays[name].shape, 2), np.float32)})
