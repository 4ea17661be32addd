"""The plainest distillation: be where the teacher is. Embeddings of both can then be compared with each other, too."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from models.losses.inputs import LossInputs, Need
from models.losses.loss import Loss, LossOptions, Terms, summed


def embedding_match(rows: Tensor, targets: Tensor) -> Terms:
    """(B, D), (B, D) of any length -> scalar in [0, 2]: mean of 1 - cos(row i, target i); targets get no gradient."""
    return Terms(1 - F.cosine_similarity(rows, targets.detach(), dim=1).mean())


def _of_inputs(inputs: LossInputs, options: LossOptions) -> Terms:
    """Summed over the matches."""
    return summed(embedding_match(match.queries, match.keys) for match in inputs.matches)


LOSS = Loss("embedding_match", LossOptions, _of_inputs, frozenset({Need.MATCHES}))
