"""The measurement of facing against a naive loop over pairs of photos."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from index_builder.quality.facing import MIN_PHOTOS, ONE_WAY_ASYMMETRY, asymmetry
from models.arrays import Vectors
from models.bundle import Bundle, mirrored


def unit(rows: NDArray[np.float64]) -> Vectors:
    result: Vectors = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return result


def test_asymmetry_is_what_a_loop_over_pairs_gives() -> None:
    rng = np.random.default_rng(0)
    upright, flipped = unit(rng.standard_normal((7, 5)) + 1), unit(rng.standard_normal((7, 5)))
    alike, crossed = [], []
    for i in range(7):
        for j in range(7):
            if i != j:
                alike.append(float(upright[i] @ upright[j]))
                crossed.append(float(flipped[i] @ upright[j]))
    expected = (np.mean(alike) - np.mean(crossed)) / (1 - np.mean(crossed))
    assert asymmetry(upright, flipped) == pytest.approx(expected, abs=1e-6)


def test_photos_that_face_both_ways_measure_nothing_and_those_of_one_way_much() -> None:
    rng = np.random.default_rng(1)
    left, right = np.eye(64)[0], np.eye(64)[1]  # an embedding whose mirror image exchanges the first two numbers
    swap = np.r_[1, 0, 2:64]
    one_way = unit(left + 0.1 * rng.standard_normal((MIN_PHOTOS, 64)))
    assert asymmetry(one_way, one_way[:, swap]) > 0.5
    facing = np.where(np.arange(MIN_PHOTOS)[:, None] % 2, left, right)
    both_ways = unit(facing + 0.1 * rng.standard_normal((MIN_PHOTOS, 64)))
    assert asymmetry(both_ways, both_ways[:, swap]) < ONE_WAY_ASYMMETRY
    symmetric = unit(left + right + 0.1 * rng.standard_normal((MIN_PHOTOS, 64)))
    assert abs(asymmetry(symmetric, symmetric[:, swap])) < ONE_WAY_ASYMMETRY


def test_mirrored_inputs_are_those_of_the_mirrored_image(tiny_bundle_dir: Path) -> None:
    inputs = np.random.default_rng(2).random((2, 3, 32, 32)).astype(np.float32)
    flipped = mirrored(inputs)
    for x in range(32):
        assert (flipped[..., x] == inputs[..., 31 - x]).all()
    assert (mirrored(flipped) == inputs).all()
    Bundle.load(tiny_bundle_dir).photo.encode(flipped)  # contiguous: onnxruntime takes it as it is
