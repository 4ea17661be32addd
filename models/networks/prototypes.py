"""A learned unit vector for each kind, near to those of kinds with a like name."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Prototypes(nn.Module):
    """unit(free + W words): a free vector of each kind, and one linear map W of all names' word vectors.

    The map is shared, so kinds with like names have like prototypes from the start, and a kind without pictures has a
    place among those that have some.
    """

    words: Tensor

    def __init__(self, kinds: int, dim: int, words: Tensor) -> None:
        """`words` (kinds, W): word vectors of the names, rows of length 1, or of zeros where no word is known."""
        super().__init__()
        assert len(words) == kinds
        self.free = nn.Parameter(torch.randn(kinds, dim) * dim**-0.5)
        self.register_buffer("words", words)
        self.of_words = nn.Linear(words.shape[1], dim, bias=False)
        nn.init.normal_(self.of_words.weight, std=dim**-0.5)

    def forward(self) -> Tensor:
        """(K, dim), rows of length 1."""
        return F.normalize(self.free + self.of_words(self.words), dim=1)
