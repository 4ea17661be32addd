"""The classic baseline: a sketch is nearer to its photo than to any other, by a margin.

Triplet-SN (Yu et al., "Sketch Me That Shoe", CVPR 2016), here over all triplets of a batch.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from pydantic import Field
from torch import Tensor

from models.losses.inputs import LossInputs
from models.losses.loss import Loss, LossOptions, Terms


@dataclass(frozen=True)
class TripletTerms(Terms):
    """`total`: mean hinge over all triplets; `active`: share of triplets inside the margin."""

    active: Tensor


def triplet(sketches: Tensor, photos: Tensor, identities: Tensor, *, margin: float) -> TripletTerms:
    """(B, E), (B, E), (B,) -> scalars: mean of max(0, margin + |s_i - p_i|^2 - |s_i - p_j|^2).

    Row i of both is a pair; j runs over all photos of another identity. A batch without any gives 0.
    """
    # By way of matrix products, small distances lose their last digits: those that the margin is about.
    distances = torch.cdist(sketches, photos, compute_mode="donot_use_mm_for_euclid_dist").square()
    violation = margin + distances.diagonal()[:, None] - distances
    others = identities[:, None] != identities[None, :]
    hinge = violation.clamp_min(0).masked_fill(~others, 0.0)
    count = others.sum().clamp_min(1)
    return TripletTerms(hinge.sum() / count, ((violation > 0) & others).sum().detach() / count)


class TripletOptions(LossOptions):
    """`margin`: by how much the squared distance to the own photo has to be smaller; distances of unit rows, 0 to 4."""

    margin: float = Field(default=0.2, ge=0)


def _of_inputs(inputs: LossInputs, options: TripletOptions) -> TripletTerms:
    return triplet(inputs.sketches, inputs.photos, inputs.identities, margin=options.margin)


LOSS = Loss("triplet", TripletOptions, _of_inputs)
