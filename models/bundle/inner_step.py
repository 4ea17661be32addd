"""The inner step: one gradient step of the triplet loss on the head M, its gradient written out.

Adaptive FG-SBIR (ECCV 2022), B2 and B3: with z = x M and u = z / |z|,

    L_T = mean over sketches s and photos n other than s's own p of hinge(margin + |u_s - u_p| - |u_s - u_n|)

The hinge is max(0, x), or, softened, softness * log(1 + exp(x / softness)): see `models.adaptation.inner_loop`.

The same step in torch, which meta-training differentiates, is `models.adaptation.inner_loop`; a test holds the two
together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
Rows = NDArray[np.int64]

DISTANCE_FLOOR = 1e-12
"""Added to a squared distance under its root, whose slope has no end at zero."""


@dataclass(frozen=True)
class Support:
    """`sketches` (S, E); `photos` (N, E), the candidates; `positives` (S,): each sketch's own among them.

    Every other candidate is a negative of a sketch.
    """

    sketches: Vectors
    photos: Vectors
    positives: Rows

    def negatives(self) -> NDArray[np.bool_]:
        """(S, N): whether a candidate is a negative."""
        other: NDArray[np.bool_] = np.arange(len(self.photos))[None, :] != self.positives[:, None]
        return other


def inner_step(head: Vectors, support: Support, *, margin: float, rate: float, softness: float = 0.0) -> Vectors:
    """(E, E') -> (E, E'): one step against the gradient of L_T."""
    stepped: Vectors = head - np.float32(rate) * triplet_gradient(head, support, margin=margin, softness=softness)
    return stepped


def triplet_gradient(head: Vectors, support: Support, *, margin: float, softness: float = 0.0) -> Vectors:
    """dL_T / dM, (E, E'). Zero where there is no negative."""
    sketch_unit, sketch_length = _unit(support.sketches @ head)
    photo_unit, photo_length = _unit(support.photos @ head)
    distances = pairwise_distances(sketch_unit, photo_unit)
    own = np.take_along_axis(distances, support.positives[:, None], axis=1)
    slope = np.where(support.negatives(), _hinge_slope(margin + own - distances, softness), 0).astype(np.float32)
    triplets = max(1, len(support.sketches) * (len(support.photos) - 1))
    # dL/dd: each triplet inside the margin pulls at the own photo and pushes its negative.
    pull = -slope
    np.put_along_axis(pull, support.positives[:, None], slope.sum(axis=1, keepdims=True), axis=1)
    weight = pull / triplets / distances
    sketch_slope = weight.sum(axis=1, keepdims=True) * sketch_unit - weight @ photo_unit
    photo_slope = weight.sum(axis=0)[:, None] * photo_unit - weight.T @ sketch_unit
    gradient: Vectors = support.sketches.T @ _through_unit(sketch_slope, sketch_unit, sketch_length)
    gradient += support.photos.T @ _through_unit(photo_slope, photo_unit, photo_length)
    return gradient


def pairwise_distances(sketches: Vectors, photos: Vectors) -> Vectors:
    """(S, E'), (N, E') rows of length 1 -> (S, N) Euclidean distances, never quite zero."""
    squared = np.maximum(2.0 - 2.0 * (sketches @ photos.T), 0.0)
    distances: Vectors = np.sqrt(squared + DISTANCE_FLOOR)
    return distances


def _hinge_slope(inside: Vectors, softness: float) -> Vectors:
    slope: Vectors = 0.5 + 0.5 * np.tanh(inside / (2 * softness)) if softness else (inside > 0).astype(np.float32)
    return slope


def _unit(rows: Vectors) -> tuple[Vectors, Vectors]:
    length = np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
    return rows / length, length


def _through_unit(slope: Vectors, unit: Vectors, length: Vectors) -> Vectors:
    """dL/du -> dL/dz for u = z / |z|."""
    turned: Vectors = (slope - unit * (slope * unit).sum(axis=1, keepdims=True)) / length
    return turned
