"""Cross-entropy over learned prototypes of kinds, which both domains share.

Snell et al., "Prototypical Networks for Few-shot Learning", NeurIPS 2017, with cosines in place of distances and
prototypes that are learned in place of means, so that a kind of sketches alone, or of photos alone, has one too.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from models.losses.inputs import LossInputs, Need
from models.losses.loss import Loss, LossOptions, Terms


@dataclass(frozen=True)
class KindPrototypeTerms(Terms):
    """`total`: mean of both domains; `accuracy`: share of rows of known kind in [0, 1] whose prototype is nearest."""

    accuracy: Tensor


def kind_prototypes(
    embeddings: Tensor,
    kinds: Tensor,
    prototypes: Tensor,
    compatible: Tensor | None = None,
    *,
    temperature: float,
    label_smoothing: float = 0.0,
) -> KindPrototypeTerms:
    """(N, E) unit rows, (N,) kinds or -1, (K, E) unit rows -> scalars; the cross-entropy of each row's kind over all K.

    `compatible` (K, K) bool: kinds that some picture has both of; they leave the softmax of each other. Smoothing
    spreads its share evenly over the kinds that stay, the row's own included. Rows of unknown kind are left out; 0 when
    that leaves none.
    """
    known = kinds >= 0
    if not bool(known.any()):
        return KindPrototypeTerms(embeddings.sum() * 0.0, torch.zeros(()))
    own = kinds[known]
    logits = embeddings[known] @ prototypes.T / temperature
    left_out = torch.zeros_like(logits, dtype=torch.bool) if compatible is None else compatible[own]
    # The table may call a kind compatible with itself, but a row's own kind has to stay in its softmax.
    left_out = left_out.scatter(1, own[:, None], False)
    log_share = F.log_softmax(logits.masked_fill(left_out, -torch.inf), dim=1)
    hit = log_share.gather(1, own[:, None])[:, 0]
    even = log_share.masked_fill(left_out, 0.0).sum(dim=1) / (~left_out).sum(dim=1)
    total = -((1 - label_smoothing) * hit + label_smoothing * even).mean()
    return KindPrototypeTerms(total, logits.argmax(dim=1).eq(own).float().mean())


class KindPrototypeOptions(LossOptions):
    """`temperature` divides the cosines; `label_smoothing`: share of the target that goes to all kinds evenly."""

    temperature: float = Field(default=0.07, gt=0)
    label_smoothing: float = Field(default=0.1, ge=0, lt=1)


def _of_inputs(inputs: LossInputs, options: KindPrototypeOptions) -> KindPrototypeTerms:
    """Sketches and photos, pairs and unpaired alike; each domain counts half."""
    assert inputs.prototypes is not None
    prototypes, compatible = inputs.prototypes, inputs.compatible_kinds
    each = [
        kind_prototypes(rows, kinds, prototypes, compatible, **options.model_dump())
        for rows, kinds in inputs.labelled()
    ]
    return KindPrototypeTerms(*((getattr(each[0], n) + getattr(each[1], n)) / 2 for n in ("total", "accuracy")))


LOSS = Loss("kind_prototypes", KindPrototypeOptions, _of_inputs, frozenset({Need.KIND_LABELS, Need.PROTOTYPES}))
