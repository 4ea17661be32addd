"""Closed-form rivals: nothing is learned across tasks but one number each, which is chosen on training tasks.

All start from the photos' mean taken away, since that needs no examples and every category search does it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.adapters.category import category_mean
from models.arrays import Rows, Vectors
from models.evaluation.few_shot.methods import Head


def unit(rows: NDArray[np.floating]) -> Vectors:
    """(N, E) -> rows of length 1; zeros stay."""
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    scaled: Vectors = (rows / np.maximum(length, 1e-9)).astype(np.float32, copy=False)
    return scaled


@dataclass(frozen=True)
class WhitenedHead:
    """(x - mean) stretched by `gains` (R,) along `axes` (E, R) and left as it is across them."""

    mean: Vectors
    axes: Vectors
    gains: Vectors

    def sketches(self, rows: Vectors) -> Vectors:
        """Centre, stretch, length 1."""
        moved: Vectors = rows - self.mean
        return unit(moved + ((moved @ self.axes) * (self.gains - 1.0)) @ self.axes.T)

    def photos(self, rows: Vectors) -> Vectors:
        """The same as sketches."""
        return self.sketches(rows)


@dataclass(frozen=True)
class Whitening:
    """PCA-whitening by the task's photos: directions in which they spread count for less.

    The covariance is shrunk towards the identity: `shrinkage` times its mean variance over the G - 1 directions that G
    photos can spread in. Looks at no example.
    """

    shrinkage: float
    name: str = "whitening"
    uses_examples: bool = False

    def fit(self, sketches: Vectors, positives: Rows, photos: Vectors) -> Head:
        """Only the photos count."""
        mean = category_mean(photos)
        moved = photos - mean
        _, singular, axes = np.linalg.svd(moved, full_matrices=False)
        variances = singular**2 / len(photos)
        floor = self.shrinkage * variances.sum() / max(1, len(photos) - 1)
        gains = np.sqrt(floor / (variances + floor))
        return WhitenedHead(mean, np.ascontiguousarray(axes.T), gains.astype(np.float32))


@dataclass(frozen=True)
class MovedSketchesHead:
    """Photos are centred; sketches are too, and moved: x - mean + shift + ((x - mean) @ down) @ up."""

    mean: Vectors
    shift: Vectors
    down: Vectors
    up: Vectors

    def sketches(self, rows: Vectors) -> Vectors:
        """Centre, move, length 1."""
        moved = rows - self.mean
        return unit(moved + self.shift + (moved @ self.down) @ self.up)

    def photos(self, rows: Vectors) -> Vectors:
        """Centre, length 1."""
        return unit(rows - self.mean)


@dataclass(frozen=True)
class Prototypes:
    """Prototypes of the two domains: sketches move by what photos differ from sketches by, on the examples' average.

    Of S examples the difference counts S / (S + prior).
    """

    prior: float
    name: str = "prototypes"
    uses_examples: bool = True

    def fit(self, sketches: Vectors, positives: Rows, photos: Vectors) -> Head:
        """One shift."""
        count, dim = sketches.shape
        shift = (photos[positives] - sketches).sum(axis=0) / (count + self.prior)
        return MovedSketchesHead(
            category_mean(photos), shift, np.zeros((dim, 0), np.float32), np.zeros((0, dim), np.float32)
        )


@dataclass(frozen=True)
class RidgeRegression:
    """The linear map W from centred sketches A to their centred photos B that minimises |AW - B|² + prior |W - I|²."""

    prior: float
    name: str = "ridge regression"
    uses_examples: bool = True

    def fit(self, sketches: Vectors, positives: Rows, photos: Vectors) -> Head:
        """W - I = A' (A A' + prior I)^-1 (B - A), in the span of the S examples."""
        mean = category_mean(photos)
        drawn, wanted = sketches - mean, photos[positives] - mean
        gram = drawn @ drawn.T + np.float32(self.prior) * np.eye(len(drawn), dtype=np.float32)
        return MovedSketchesHead(mean, np.zeros_like(mean), drawn.T, np.linalg.solve(gram, wanted - drawn))


GRIDS: dict[str, tuple[Whitening | Prototypes | RidgeRegression, ...]] = {
    "whitening": tuple(Whitening(value) for value in (0.1, 0.3, 1.0, 3.0, 10.0)),
    "prototypes": tuple(Prototypes(value) for value in (1.0, 5.0, 20.0, 100.0)),
    "ridge regression": tuple(RidgeRegression(value) for value in (0.3, 1.0, 3.0, 10.0, 30.0)),
}
"""Among what each one's number is chosen."""
