"""Contrast of kinds between the domains, with several positives.

Khosla et al., "Supervised Contrastive Learning", NeurIPS 2020: L_out of equation 2, the mean over the positives outside
the logarithm. It departs from the paper in that queries and keys are of two domains, so none is its own key.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from pydantic import Field
from torch import Tensor

from models.losses.inputs import LossInputs, Need
from models.losses.loss import Loss, LossOptions, Terms


@dataclass(frozen=True)
class KindContrastTerms(Terms):
    """`sketch_to_photo`: sketches find photos of their kind; `photo_to_sketch`: the reverse; `total`: their mean."""

    sketch_to_photo: Tensor
    photo_to_sketch: Tensor


def supervised_contrast(
    queries: Tensor, keys: Tensor, positive: Tensor, negative: Tensor, *, temperature: float
) -> Tensor:
    """(Q, E), (K, E) unit rows, (Q, K) bool twice -> scalar: -mean over queries, over positives, of log softmax.

    Keys that are neither positive nor negative leave the softmax; queries without a positive are left out. 0 when that
    leaves none.
    """
    counted = positive.any(dim=1)
    if not bool(counted.any()):
        # A zero that hangs on the graph: a backward pass works, and the encoders get gradients of 0.
        return queries.sum() * 0.0
    logits = (queries @ keys.T / temperature)[counted]
    own = positive[counted]
    norm = torch.logsumexp(logits.masked_fill(~(own | negative[counted]), -torch.inf), dim=1, keepdim=True)
    log_share = (logits - norm).masked_fill(~own, 0.0)
    return -(log_share.sum(dim=1) / own.sum(dim=1)).mean()


def kind_contrast(
    sketches: Tensor,
    sketch_kinds: Tensor,
    photos: Tensor,
    photo_kinds: Tensor,
    compatible: Tensor | None = None,
    *,
    temperature: float,
) -> KindContrastTerms:
    """(N, E), (N,), (M, E), (M,) -> scalars; rows have length 1, kinds are numbers from 0 or -1 where unknown.

    A sketch's positives are all photos of its kind, and the reverse. `compatible` (K, K) bool: kinds that some picture
    has both of; they are no negatives of each other, and neither is what has no known kind.
    """
    known = (sketch_kinds >= 0)[:, None] & (photo_kinds >= 0)[None, :]
    positive = known & (sketch_kinds[:, None] == photo_kinds[None, :])
    negative = known & ~positive
    if compatible is not None:
        # Unknown kinds are -1, which would index the last row; they are no negatives already, so any row will do.
        negative &= ~compatible[sketch_kinds.clamp(min=0)][:, photo_kinds.clamp(min=0)]
    forward = supervised_contrast(sketches, photos, positive, negative, temperature=temperature)
    backward = supervised_contrast(photos, sketches, positive.T, negative.T, temperature=temperature)
    return KindContrastTerms((forward + backward) / 2, forward, backward)


class KindContrastOptions(LossOptions):
    """`temperature` divides the cosines."""

    temperature: float = Field(default=0.07, gt=0)


def _of_inputs(inputs: LossInputs, options: KindContrastOptions) -> KindContrastTerms:
    sketches, photos = inputs.labelled()
    return kind_contrast(*sketches, *photos, compatible=inputs.compatible_kinds, temperature=options.temperature)


LOSS = Loss("kind_contrast", KindContrastOptions, _of_inputs, frozenset({Need.KIND_LABELS}))
