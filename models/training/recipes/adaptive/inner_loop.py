"""The inner loop: gradient steps of the triplet loss on the head M alone, through which the outer loop differentiates.

Adaptive FG-SBIR (ECCV 2022); in numpy, for serving: `models.adapters.inner_step`.

The slope of a hinge depends on its margin only through which triplets are active, so no gradient would ever reach the
margin network through the step. Hence the hinge is softened: softness * softplus(violation / softness).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from models.adapters.inner_step import DISTANCE_FLOOR


@dataclass(frozen=True)
class SupportTensors:
    """See `models.adapters.inner_step.Support`: `sketches` (S, E), `photos` (N, E), `positives` (S,)."""

    sketches: Tensor
    photos: Tensor
    positives: Tensor

    def negatives(self) -> Tensor:
        """(S, N): whether a candidate is a negative."""
        return torch.arange(len(self.photos))[None, :] != self.positives[:, None]


def adapt(
    head: Tensor,
    support: SupportTensors,
    *,
    margin: Tensor | float,
    rate: Tensor | float,
    softness: float = 0.0,
    steps: int = 1,
    first_order: bool = False,
) -> Tensor:
    """(E, E') -> (E, E') after `steps` steps against the gradient of L_T; parameters in, parameters out.

    `first_order`: the step's gradient counts as a constant in the outer loop.
    """
    for _ in range(steps):
        # The gradient from torch.func is itself differentiable, so the outer loop sees through the step; detached, it
        # is first-order MAML.
        slope = torch.func.grad(triplet_loss)(head, support, margin, softness)
        head = head - rate * (slope.detach() if first_order else slope)
    return head


def triplet_loss(head: Tensor, support: SupportTensors, margin: Tensor | float, softness: float = 0.0) -> Tensor:
    """L_T, scalar: mean of max(0, margin + d(sketch, own photo) - d(sketch, other photo)) over sketches and others."""
    distances = pair_distances(support.sketches @ head, support.photos @ head)
    return hinge(distances, support.positives, margin, softness)


def pair_distances(sketches: Tensor, photos: Tensor) -> Tensor:
    """(S, E'), (N, E') of any length -> (S, N): Euclidean distances of the rows scaled to length 1."""
    cosines = F.normalize(sketches, dim=1, eps=1e-9) @ F.normalize(photos, dim=1, eps=1e-9).T
    # Rounding can bring a cosine above 1; the floor keeps the root's slope finite at distance 0.
    return ((2 - 2 * cosines).clamp_min(0) + DISTANCE_FLOOR).sqrt()


def hinge(distances: Tensor, positives: Tensor, margin: Tensor | float, softness: float = 0.0) -> Tensor:
    """(S, N), (S,) -> scalar: the mean hinge over all triplets, hard where `softness` is 0; 0 without a negative."""
    own = distances.gather(1, positives[:, None])
    negatives = torch.arange(distances.shape[1])[None, :] != positives[:, None]
    inside = margin + own - distances
    violation = softness * F.softplus(inside / softness) if softness else inside.clamp_min(0)
    # Each of the S sketches has N - 1 negatives.
    return torch.where(negatives, violation, 0.0).sum() / max(1, len(distances) * (distances.shape[1] - 1))
