"""Closed-form baselines: each learns one number across tasks, which is chosen on training tasks.

All start from mean-centred embeddings, since that needs no examples and every category search does it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.adapters.adapter import unit_rows
from models.adapters.category import category_mean
from models.arrays import Rows, Vectors
from models.evaluation.few_shot.methods import TaskAdapter


@dataclass(frozen=True)
class Whitened:
    """(x - mean) stretched by `gains` (R,) along `axes` (E, R) and left as it is across them."""

    mean: Vectors
    axes: Vectors
    gains: Vectors

    def embed_sketches(self, sketches: Vectors) -> Vectors:
        """(N, E) -> (N, E): centred, stretched, of length 1."""
        moved: Vectors = sketches - self.mean
        # Only the part along the axes is changed. There are fewer of them than E, and what lies across them stays.
        stretched = moved + ((moved @ self.axes) * (self.gains - 1.0)) @ self.axes.T
        return unit_rows(stretched.astype(np.float32, copy=False))

    def embed_photos(self, photos: Vectors) -> Vectors:
        """(N, E) -> (N, E), as sketches are."""
        return self.embed_sketches(photos)


@dataclass(frozen=True)
class Whitening:
    """PCA-whitening by the task's photos: directions in which they spread count for less.

    The covariance is shrunk towards the identity: `shrinkage` times its mean variance over the G - 1 directions that G
    photos can spread in. Uses no example.
    """

    shrinkage: float
    name: str = "whitening"
    uses_examples: bool = False

    def fit(self, sketches: Vectors, positives: Rows, photos: Vectors) -> TaskAdapter:
        """(G, E) photos -> an adapter; the examples are ignored."""
        mean = category_mean(photos)
        moved = photos - mean
        _, singular, axes = np.linalg.svd(moved, full_matrices=False)
        variances = singular**2 / len(photos)
        # G centred rows span at most G - 1 directions.
        floor = self.shrinkage * variances.sum() / max(1, len(photos) - 1)
        gains = np.sqrt(floor / (variances + floor))
        return Whitened(mean, np.ascontiguousarray(axes.T), gains.astype(np.float32))


@dataclass(frozen=True)
class MovedSketches:
    """Photos are centred; sketches are too, and moved: x - mean + shift + ((x - mean) @ down) @ up."""

    mean: Vectors
    shift: Vectors
    down: Vectors
    up: Vectors

    def embed_sketches(self, sketches: Vectors) -> Vectors:
        """(N, E) -> (N, E): centred, moved, of length 1."""
        moved = sketches - self.mean
        shifted = moved + self.shift + (moved @ self.down) @ self.up
        return unit_rows(shifted.astype(np.float32, copy=False))

    def embed_photos(self, photos: Vectors) -> Vectors:
        """(N, E) -> (N, E): centred, of length 1."""
        return unit_rows(photos - self.mean)


@dataclass(frozen=True)
class Prototypes:
    """Prototypes of the two domains (Snell et al., NeurIPS 2017): sketches move by the examples' mean difference.

    The difference photo - sketch of S examples is weighted by S / (S + prior).
    """

    prior: float
    name: str = "prototypes"
    uses_examples: bool = True

    def fit(self, sketches: Vectors, positives: Rows, photos: Vectors) -> TaskAdapter:
        """(S, E), (S,), (G, E) -> an adapter with one shift."""
        count, dim = sketches.shape
        shift = (photos[positives] - sketches).sum(axis=0) / (count + self.prior)
        return MovedSketches(
            category_mean(photos), shift, np.zeros((dim, 0), np.float32), np.zeros((0, dim), np.float32)
        )


@dataclass(frozen=True)
class RidgeRegression:
    """The linear map W from centred sketches A to their centred photos B that minimises |AW - B|² + prior |W - I|²."""

    prior: float
    name: str = "ridge regression"
    uses_examples: bool = True

    def fit(self, sketches: Vectors, positives: Rows, photos: Vectors) -> TaskAdapter:
        """W - I = A' (A A' + prior I)^-1 (B - A), in the span of the S examples."""
        mean = category_mean(photos)
        inputs, outputs = sketches - mean, photos[positives] - mean
        # In the span of the examples the system is S by S, where the map itself would be E by E.
        gram = inputs @ inputs.T + np.float32(self.prior) * np.eye(len(inputs), dtype=np.float32)
        return MovedSketches(mean, np.zeros_like(mean), inputs.T, np.linalg.solve(gram, outputs - inputs))


GRIDS: dict[str, tuple[Whitening | Prototypes | RidgeRegression, ...]] = {
    "whitening": tuple(Whitening(value) for value in (0.1, 0.3, 1.0, 3.0, 10.0)),
    "prototypes": tuple(Prototypes(value) for value in (1.0, 5.0, 20.0, 100.0)),
    "ridge regression": tuple(RidgeRegression(value) for value in (0.3, 1.0, 3.0, 10.0, 30.0)),
}
"""The values that each baseline's number is chosen from."""
