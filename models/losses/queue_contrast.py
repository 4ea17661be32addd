"""XAQC: contrast against a queue of earlier keys (MoCo, He et al., CVPR 2020; XModalViT, BMVC 2022).

Its public code multiplies unnormalised queries with normalised keys and loses count of the queue where a batch does not
divide it; here both sides have length 1 and the queue wraps around.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

_NOBODY = -1


@dataclass(frozen=True)
class KeyQueue:
    """The last K keys: `keys` (K, D) unit rows, `identities` (K,) of the photo each belongs to, `pointer`: next row.

    A value: pushing gives a new queue. Rows never written hold random directions, as in the paper, of nobody.
    """

    keys: Tensor
    identities: Tensor
    pointer: int

    @classmethod
    def start(cls, length: int, dim: int, seed: int) -> KeyQueue:
        """A queue of random unit rows."""
        random = torch.randn(length, dim, generator=torch.Generator().manual_seed(seed))
        return cls(F.normalize(random, dim=1), torch.full((length,), _NOBODY), 0)

    def pushed(self, keys: Tensor, identities: Tensor) -> KeyQueue:
        """(B, D), (B,) -> the queue with these in place of its oldest; of more than K the last K stay."""
        length = len(self.keys)
        keys, identities = keys.detach()[-length:], identities[-length:]
        rows = (self.pointer + torch.arange(len(keys), device=self.keys.device)) % length
        kept_keys, kept_identities = self.keys.clone(), self.identities.clone()
        kept_keys[rows] = F.normalize(keys, dim=1).to(kept_keys.dtype)
        kept_identities[rows] = identities
        return KeyQueue(kept_keys, kept_identities, (self.pointer + len(keys)) % length)

    def to(self, device: torch.device) -> KeyQueue:
        """The same queue on a device."""
        return KeyQueue(self.keys.to(device), self.identities.to(device), self.pointer)


@dataclass(frozen=True)
class QueueContrastTerms:
    """`total`: mean cross-entropy of finding the own key; `found`: share of queries whose own key scored highest."""

    total: Tensor
    found: Tensor


def queue_contrast(
    queries: Tensor, keys: Tensor, identities: Tensor, queue: KeyQueue, *, temperature: float
) -> QueueContrastTerms:
    """(B, D), (B, D), (B,) and the queue -> scalars; rows of any length, compared by cosine; keys get no gradient.

    Query i has one positive, key i, and the queue's keys as negatives, without those of its own photo: with more rows
    in the queue than photos in the set a query would otherwise be told to avoid its own target. Keys of the same batch
    are no negatives of each other; push them afterwards.
    """
    queries, keys = F.normalize(queries, dim=1), F.normalize(keys.detach(), dim=1)
    own = (queries * keys).sum(dim=1, keepdim=True)
    others = queries @ queue.keys.T  # (B, K)
    others = others.masked_fill(identities[:, None] == queue.identities[None, :], -torch.inf)
    logits = torch.cat([own, others], dim=1) / temperature
    total = -F.log_softmax(logits, dim=1)[:, 0].mean()
    return QueueContrastTerms(total, (own > others).all(dim=1).float().mean().detach())
