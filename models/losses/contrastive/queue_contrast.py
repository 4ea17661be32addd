"""XAQC: contrast against a queue of earlier keys (MoCo, He et al., CVPR 2020; XModalViT, BMVC 2022).

XModalViT's public code multiplies unnormalised queries with normalised keys; here both sides have length 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from models.losses.inputs import LossInputs, Need
from models.losses.key_queue import KeyQueue
from models.losses.loss import Loss, LossOptions, Terms


@dataclass(frozen=True)
class QueueContrastTerms(Terms):
    """`total`: mean cross-entropy of finding the own key; `accuracy`: share of queries whose own key scored highest."""

    accuracy: Tensor


def queue_contrast(
    queries: Tensor, keys: Tensor, identities: Tensor, queue: KeyQueue, *, temperature: float
) -> QueueContrastTerms:
    """(B, D), (B, D), (B,) and the queue -> scalars; rows of any length, compared by cosine; keys get no gradient.

    Query i has one positive, key i, and the queue's keys as negatives, without those of its own photo: with more rows
    in the queue than photos in the set a query would otherwise be pushed away from its own target. Keys of the same
    batch are no negatives of each other; push them afterwards.
    """
    queries, keys = F.normalize(queries, dim=1), F.normalize(keys.detach(), dim=1)
    own = (queries * keys).sum(dim=1, keepdim=True)
    others = queries @ queue.keys.T  # (B, K)
    others = others.masked_fill(identities[:, None] == queue.identities[None, :], -torch.inf)
    # The positive is column 0, as in MoCo.
    logits = torch.cat([own, others], dim=1) / temperature
    total = -F.log_softmax(logits, dim=1)[:, 0].mean()
    return QueueContrastTerms(total, (own > others).all(dim=1).float().mean().detach())


class QueueContrastOptions(LossOptions):
    """`temperature` divides the cosines."""

    temperature: float = Field(default=0.07, gt=0)


def _of_inputs(inputs: LossInputs, options: QueueContrastOptions) -> QueueContrastTerms:
    """Every match against the queue of its modality: totals are added up, accuracies averaged."""
    each = [
        queue_contrast(
            match.queries,
            match.keys,
            inputs.identities,
            inputs.queues[match.modality],
            temperature=options.temperature,
        )
        for match in inputs.matches
    ]
    return QueueContrastTerms(
        torch.stack([terms.total for terms in each]).sum(), torch.stack([terms.accuracy for terms in each]).mean()
    )


LOSS = Loss("queue_contrast", QueueContrastOptions, _of_inputs, frozenset({Need.MATCHES, Need.QUEUES}))
