from __future__ import annotations

import numpy as np
import pytest

from models.adapters.prior import CentrePrior

PRIOR = CentrePrior(share=0.9, follow=0.2, trust=1.7, per_photo=0.4)


def test_against_the_definition() -> None:
    random = np.random.default_rng(0)
    photos = random.normal(size=(6, 9)).astype(np.float32)
    mean = photos.mean(axis=0)
    positives = np.array([4, 1, 1, 4, 2, 1])
    sketches = random.normal(size=(6, 9)).astype(np.float32) + 1.5
    offsets, weights = [], []
    for photo in (1, 2, 4):
        own = [sketches[row] for row in range(6) if positives[row] == photo]
        offsets.append(sum(own) / len(own) - 0.2 * (photos[photo] - mean) - 0.9 * mean)
        weights.append(1 / (0.4 + 0.6 / len(own)))
    products = [float(offsets[i] @ offsets[j]) for i in range(3) for j in range(3) if i != j]
    distance = sum(products) / len(products)
    error = sum(w * (float(x @ x) - distance) for w, x in zip(weights, offsets, strict=True)) / 3
    ratio = (2 * max(0.0, distance / error) + 0.5 / 1.7) / (2 + 0.5 + 1.0)
    moved = sum(w * x for w, x in zip(weights, offsets, strict=True)) / (1 / ratio + sum(weights))
    assert np.allclose(PRIOR.centre(sketches, positives, photos, mean), 0.9 * mean + moved, atol=1e-5)


def test_without_examples_it_is_the_share_of_the_mean() -> None:
    mean = np.arange(4, dtype=np.float32)
    nothing = np.zeros((0, 4), np.float32), np.zeros(0, np.int64)
    assert np.allclose(PRIOR.centre(*nothing, np.zeros((3, 4), np.float32), mean), 0.9 * mean)


@pytest.mark.parametrize(("distance", "low", "high"), [(0.0, 0.0, 0.4), (3.0, 0.85, 1.0)])
def test_it_moves_where_sketches_of_different_photos_agree(distance: float, low: float, high: float) -> None:
    random = np.random.default_rng(1)
    photos = random.normal(size=(8, 200)).astype(np.float32)
    away = np.full(200, distance / 200**0.5, np.float32)
    sketches = photos * 0 + away + random.normal(size=(8, 200)).astype(np.float32) / 200**0.5
    centre = CentrePrior(share=0.0, follow=0.0).centre(sketches, np.arange(8), photos, photos.mean(axis=0))
    share = float(np.linalg.norm(centre) / np.linalg.norm(sketches.mean(axis=0)))
    assert low <= share <= high


def test_sketches_that_are_all_alike() -> None:
    photos = np.eye(3, dtype=np.float32)
    centre = PRIOR.centre(np.ones((2, 3), np.float32), np.array([0, 1]), photos, np.zeros(3, np.float32))
    assert np.isfinite(centre).all()
