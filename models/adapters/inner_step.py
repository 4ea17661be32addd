"""The inner step: one gradient step of the triplet loss on the head M, its gradient written out.

Adaptive FG-SBIR (ECCV 2022), B2 and B3: with z = x M and u = z / |z|,

    L_T = mean over sketches s and photos n other than s's own p of hinge(margin + |u_s - u_p| - |u_s - u_n|)

The hinge is max(0, x), or, softened, softness * log(1 + exp(x / softness)): see
`models.training.recipes.adaptive.inner_loop`.

Every u is a multiple of a row of Z = X M, so the gradient is X^T L Z with a small matrix L that depends on the inner
products of those rows alone. The step is kept in that form: it is cheap to make, and to apply to many photos.

The same step in torch, which meta-training differentiates, is `models.training.recipes.adaptive.inner_loop`; a test
validates the one against the other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.arrays import Rows, Vectors

DISTANCE_FLOOR = 1e-12
"""Added to a squared distance under its root, whose slope is unbounded at zero."""


@dataclass(frozen=True)
class Support:
    """A support set: `sketches` (S, E); `photos` (N, E), the candidates; `positives` (S,): each sketch's own photo.

    Every other candidate is a negative of a sketch.
    """

    sketches: Vectors
    photos: Vectors
    positives: Rows

    def negatives(self) -> NDArray[np.bool_]:
        """(S, N): whether a candidate is a negative of a sketch, that is, not its own photo."""
        other: NDArray[np.bool_] = np.arange(len(self.photos))[None, :] != self.positives[:, None]
        return other

    def rows(self) -> Vectors:
        """(S + N, E): sketches, then candidates."""
        return np.concatenate([self.sketches, self.photos])


@dataclass(frozen=True)
class LowRankStep:
    """M' = M + rows^T weights (rows M), kept as its factors: `rows` (n, E), `weights` (n, n), `moved` = rows M (n, E').

    n is the number of support rows, far below E, so a step costs n^2 and not E^2 numbers.
    """

    rows: Vectors
    weights: Vectors
    moved: Vectors

    def head(self, head: Vectors) -> Vectors:
        """M (E, E'), the one that the step was made for -> M' (E, E'), in full."""
        stepped: Vectors = head + self.rows.T @ (self.weights @ self.moved)
        return stepped

    def apply(self, rows: Vectors, moved: Vectors) -> Vectors:
        """x (N, E), x M (N, E') -> x M' (N, E'), without forming M'."""
        stepped: Vectors = moved + (rows @ self.rows.T) @ (self.weights @ self.moved)
        return stepped


def inner_step(head: Vectors | None, support: Support, *, margin: float, rate: float, softness: float) -> LowRankStep:
    """M (E, E'), None for the identity -> one step of size `rate` against the gradient of L_T.

    `margin`: in Euclidean distance between unit vectors, so from 0 to 2. `softness`: of the hinge, 0 for max(0, x).
    """
    rows = support.rows()
    moved = rows if head is None else rows @ head
    weights = -rate * triplet_weights(moved, support, margin=margin, softness=softness)
    return LowRankStep(rows, weights.astype(np.float32), moved)


def triplet_weights(moved: Vectors, support: Support, *, margin: float, softness: float) -> Vectors:
    """Z (n, E') -> L (n, n): dL_T / dM is X^T L Z, for the rows X and Z of `Support.rows`, before and after M."""
    sketches = len(support.sketches)
    # A photo that equals the mean arrives here as zeros.
    length = np.maximum(np.linalg.norm(moved, axis=1), 1e-9)
    cosines = (moved @ moved.T) / length[:, None] / length[None, :]
    distances = np.sqrt(np.maximum(2.0 - 2.0 * cosines[:sketches, sketches:], 0.0) + DISTANCE_FLOOR)
    own = np.take_along_axis(distances, support.positives[:, None], axis=1)
    slope = np.where(support.negatives(), _hinge_slope(margin + own - distances, softness), 0.0)
    # dL/dd: each triplet inside the margin pulls at the own photo and pushes its negative.
    pull = -slope
    np.put_along_axis(pull, support.positives[:, None], slope.sum(axis=1, keepdims=True), axis=1)
    # The mean is over S (N - 1) triplets, none where the own photo is the only candidate.
    pull /= max(1, slope.size - len(slope))
    # d|a - b|/da is (a - b) / |a - b|; of that, what runs along a itself is lost in scaling a to length 1.
    toward = np.zeros_like(cosines)
    toward[:sketches, sketches:] = -pull / distances
    toward[sketches:, :sketches] = toward[:sketches, sketches:].T
    along = (toward * cosines).sum(axis=1)
    weights: Vectors = toward / length[:, None] / length[None, :]
    weights[np.diag_indices(len(weights))] -= along / np.square(length)
    return weights


def pairwise_distances(sketches: Vectors, photos: Vectors) -> Vectors:
    """(S, E'), (N, E') rows of length 1 -> (S, N) Euclidean distances, never quite zero."""
    squared = np.maximum(2.0 - 2.0 * (sketches @ photos.T), 0.0)
    distances: Vectors = np.sqrt(squared + DISTANCE_FLOOR)
    return distances


def _hinge_slope(inside: Vectors, softness: float) -> Vectors:
    # The logistic function, written as a tanh because that cannot overflow as an exp does.
    slope: Vectors = 0.5 + 0.5 * np.tanh(inside / (2 * softness)) if softness else (inside > 0).astype(np.float32)
    return slope
