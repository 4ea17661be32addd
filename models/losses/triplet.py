"""The classic baseline: a sketch is nearer to its photo than to any other, by a margin.

Triplet-SN (Yu et al., "Sketch Me That Shoe", CVPR 2016), here over all triplets of a batch.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class TripletTerms:
    """`total`: mean hinge over all triplets; `active`: share of triplets inside the margin."""

    total: Tensor
    active: Tensor


def triplet(sketches: Tensor, photos: Tensor, identities: Tensor, *, margin: float) -> TripletTerms:
    """(B, E), (B, E), (B,) -> scalars: mean of max(0, margin + |s_i - p_i|^2 - |s_i - p_j|^2).

    Row i of both is a pair; j runs over all photos of another identity. A batch without any gives 0.
    """
    distances = torch.cdist(sketches, photos, compute_mode="donot_use_mm_for_euclid_dist").square()
    violation = margin + distances.diagonal()[:, None] - distances
    others = identities[:, None] != identities[None, :]
    hinge = violation.clamp_min(0).masked_fill(~others, 0.0)
    count = others.sum().clamp_min(1)
    return TripletTerms(hinge.sum() / count, ((violation > 0) & others).sum().detach() / count)
