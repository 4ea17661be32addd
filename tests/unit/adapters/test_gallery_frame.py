"""A category's frame against a full eigendecomposition of the photos' covariance."""

from __future__ import annotations

import numpy as np
import pytest

from models.adapters.category import category_mean
from models.adapters.frame import GalleryFrame, directions
from models.arrays import Vectors


def photos(count: int, dim: int = 12, seed: int = 0) -> Vectors:
    rows = np.random.default_rng(seed).normal(size=(count, dim)) * np.linspace(2.0, 0.1, dim) + 0.5
    unit: Vectors = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return unit


def naive_map(rows: Vectors, shrinkage: float, power: float) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """(E, E): each eigenvector of the covariance scaled by (1 + v / floor) ** -power."""
    moved = rows.astype(np.float64) - category_mean(rows)
    covariance = moved.T @ moved / len(rows)
    variances, vectors = np.linalg.eigh(covariance)
    floor = shrinkage * variances.sum() / max(1, len(rows) - 1)
    result = np.zeros_like(covariance)
    for variance, vector in zip(variances, vectors.T, strict=True):
        scale = (1 + variance / floor) ** -power if variance > 1e-6 * variances.max() else 1.0
        result += scale * np.outer(vector, vector)
    return result


@pytest.mark.parametrize("count", [2, 5, 12, 60, 128])
@pytest.mark.parametrize(("shrinkage", "power"), [(1.0, 0.5), (0.3, 0.25), (3.0, 1.0)])
def test_the_frame_is_the_partial_whitening_of_its_definition(count: int, shrinkage: float, power: float) -> None:
    rows = photos(count)
    frame = GalleryFrame.of(rows, shrinkage=shrinkage, power=power)
    expected = (rows - category_mean(rows)) @ naive_map(rows, shrinkage, power)
    np.testing.assert_allclose(frame.embed(rows), expected, atol=2e-4)
    others = np.random.default_rng(3).normal(size=(4, 12)).astype(np.float32)
    np.testing.assert_allclose(frame.turn(others), others @ naive_map(rows, shrinkage, power), atol=2e-3)


def test_the_map_is_symmetric_and_shrinks_every_direction_of_the_photos() -> None:
    frame = GalleryFrame.of(photos(30), shrinkage=1.0, power=0.5)
    matrix = frame.turn(np.eye(12, dtype=np.float32))
    np.testing.assert_allclose(matrix, matrix.T, atol=1e-6)
    assert ((frame.gains > -1) & (frame.gains < 0)).all()
    np.testing.assert_allclose(frame.axes.T @ frame.axes, np.eye(frame.axes.shape[1]), atol=1e-4)


def test_directions_without_photos_keep_their_scale() -> None:
    rows = photos(4)
    frame = GalleryFrame.of(rows, shrinkage=1.0, power=1.0)
    across = np.linalg.svd(rows - category_mean(rows))[2][-1].astype(np.float32)
    np.testing.assert_allclose(frame.turn(across[None])[0], across, atol=1e-4)


@pytest.mark.parametrize("count", [1, 9])
def test_a_power_of_0_is_mean_centring(count: int) -> None:
    rows = photos(count)
    frame = GalleryFrame.of(rows, shrinkage=1.0, power=0.0)
    assert frame.axes.shape == (12, 0)
    np.testing.assert_array_equal(frame.embed(rows), rows - category_mean(rows))


@pytest.mark.parametrize("rows", [photos(1), np.repeat(photos(1), 7, axis=0)])
def test_photos_that_do_not_differ_give_a_finite_frame(rows: Vectors) -> None:
    frame = GalleryFrame.of(rows, shrinkage=1.0, power=0.5)
    assert np.isfinite(frame.embed(photos(5, seed=2))).all()


def test_a_large_category_is_sampled_evenly() -> None:
    rows = photos(1000)
    mean = category_mean(rows)
    axes, variances = directions(rows, mean)
    sample = rows[::8]  # at most 128 of a thousand
    moved = sample.astype(np.float64) - mean
    expected = np.linalg.eigvalsh(moved.T @ moved / len(sample))
    np.testing.assert_allclose(np.sort(variances), expected[-len(variances) :], rtol=1e-3)
    assert axes.shape == (12, len(variances))
