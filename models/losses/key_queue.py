"""Earlier keys as further negatives (MoCo, He et al., CVPR 2020), as XModalViT keeps them (BMVC 2022).

Its public code loses count of the queue where a batch does not divide it; here the queue wraps around.
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
        """K = `length` random unit rows of D = `dim` numbers, which belong to no photo."""
        random = torch.randn(length, dim, generator=torch.Generator().manual_seed(seed))
        return cls(F.normalize(random, dim=1), torch.full((length,), _NOBODY), 0)

    def pushed(self, keys: Tensor, identities: Tensor) -> KeyQueue:
        """(B, D), (B,) -> the queue with these in place of its oldest; of more than K the last K stay."""
        length = len(self.keys)
        # Where an index assignment names a row twice torch does not say which wins, so at most K rows are written.
        keys, identities = keys.detach()[-length:], identities[-length:]
        rows = (self.pointer + torch.arange(len(keys), device=self.keys.device)) % length
        # Copies: the graph of this step's loss holds the old keys until its backward pass.
        kept_keys, kept_identities = self.keys.clone(), self.identities.clone()
        kept_keys[rows] = F.normalize(keys, dim=1).to(kept_keys.dtype)
        kept_identities[rows] = identities
        return KeyQueue(kept_keys, kept_identities, (self.pointer + len(keys)) % length)

    def to(self, device: torch.device) -> KeyQueue:
        """A copy whose tensors lie on the device."""
        return KeyQueue(self.keys.to(device), self.identities.to(device), self.pointer)
