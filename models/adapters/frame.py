"""A category's frame: the directions in which its own photos differ, weighed down without a single example.

With variance v along a direction, a difference is scaled by (1 + v / floor) ** -power: a partial whitening, whose
`floor` is shrunk towards the mean variance.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.adapters.category import category_mean
from models.arrays import Vectors

_SAMPLE = 128  # photos that the directions come from: more cost time and change little


@dataclass(frozen=True)
class GalleryFrame:
    """x -> y + (y @ axes) * gains @ axes.T with y = x - mean; `mean` (E,), `axes` (E, r) orthonormal, `gains` (r,).

    A gain is the scale along its axis less 1. The map is symmetric; no axes are the plain mean-centred space.
    """

    mean: Vectors
    axes: Vectors
    gains: Vectors

    @classmethod
    def of(cls, photos: Vectors, *, shrinkage: float, power: float, scales: Vectors | None = None) -> GalleryFrame:
        """(G, E) photos -> the frame of photos * scales (E,), which shrinks the directions that they differ in most.

        `floor` is `shrinkage` times the mean variance of the G - 1 directions; directions without photos keep scale 1.
        A `power` of 0 is mean-centring alone.
        """
        mean = category_mean(photos) if scales is None else category_mean(photos) * scales
        if power == 0:
            return cls(mean, np.zeros((photos.shape[1], 0), np.float32), np.zeros(0, np.float32))
        sample = photos[:: max(1, -(-len(photos) // _SAMPLE))]
        axes, variances = directions(sample if scales is None else sample * scales, mean)
        floor = shrinkage * float(variances.sum()) / max(1, min(len(photos), _SAMPLE) - 1)
        gains = (1 + variances / max(floor, 1e-12)) ** -power - 1
        return cls(mean, axes, gains.astype(np.float32))

    def embed(self, rows: Vectors) -> Vectors:
        """(N, E) photos -> (N, E) mean-centred and scaled, not of length 1."""
        return self.turn(rows - self.mean)

    def turn(self, moved: Vectors) -> Vectors:
        """(N, E) differences to a mean -> (N, E), scaled along each axis."""
        scaled_axes = np.multiply(self.axes, self.gains, dtype=np.float32)
        framed: Vectors = np.add(moved, (moved @ scaled_axes) @ self.axes.T, dtype=np.float32)
        return framed

    def matrix(self) -> Vectors:
        """(E, E): `turn` as one symmetric matrix."""
        matrix: Vectors = np.matmul(np.multiply(self.axes, self.gains, dtype=np.float32), self.axes.T)
        matrix[np.diag_indices(len(matrix))] += 1
        return matrix


def directions(photos: Vectors, mean: Vectors) -> tuple[Vectors, Vectors]:
    """(G, E) photos, (E,) mean -> orthonormal axes (E, r) along which they differ, and the variance (r,) along each.

    From an even sample of at most 128 photos; variances below a millionth of the largest are left out.
    """
    sample: Vectors = (photos[:: max(1, -(-len(photos) // _SAMPLE))] - mean).astype(np.float32, copy=False)
    # The products of n <= 128 rows have the same variances as the (E, E) covariance, and are far smaller.
    variances, rotation = np.linalg.eigh(sample @ sample.T / len(sample))
    kept = variances > max(float(variances[-1]), 1e-12) * 1e-6
    # Turned back into embeddings, an eigenvector has the length sqrt(n * variance).
    axes = (sample.T @ rotation[:, kept]) / np.sqrt(variances[kept] * len(sample))
    return axes.astype(np.float32), variances[kept].astype(np.float32)
