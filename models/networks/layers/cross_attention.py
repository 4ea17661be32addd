"""Cross-modal attention (XMA): the CLS token of each modality reads the other modality's tokens.

XModalViT (Chaudhuri et al., BMVC 2022). A block has no MLP and no positions of its own; the query is the CLS alone, so
patch tokens pass through it unchanged and its cost is linear in their number.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.networks.layers.attention import NORM_EPS


class CrossAttention(nn.Module):
    """Multi-head attention of the first token to all; q, k and v without bias."""

    def __init__(self, dim: int, heads: int) -> None:
        """`dim` is split evenly between `heads`."""
        super().__init__()
        assert dim % heads == 0, f"{heads} heads do not divide a width of {dim}"
        self.heads = heads
        self.q = nn.Linear(dim, dim, bias=False)
        self.k = nn.Linear(dim, dim, bias=False)
        self.v = nn.Linear(dim, dim, bias=False)
        self.proj = nn.Linear(dim, dim)

    def forward(self, tokens: Tensor) -> Tensor:
        """(B, N, D) -> (B, D): what token 0 gathers from the sequence, itself included."""
        attended = F.scaled_dot_product_attention(
            self._split(self.q(tokens[:, :1])), self._split(self.k(tokens)), self._split(self.v(tokens))
        )
        gathered: Tensor = self.proj(attended.transpose(1, 2).flatten(2))
        return gathered[:, 0]

    def weights(self, tokens: Tensor) -> Tensor:
        """(B, N, D) -> (B, heads, N) in [0, 1], rows of sum 1: how much token 0 reads from each, to look at."""
        q, k = self._split(self.q(tokens[:, :1])), self._split(self.k(tokens))
        return torch.softmax(q @ k.transpose(2, 3) / q.shape[-1] ** 0.5, dim=-1)[:, :, 0]

    def _split(self, tokens: Tensor) -> Tensor:
        """(B, N, D) -> (B, heads, N, D / heads)."""
        batch, count, dim = tokens.shape
        return tokens.reshape(batch, count, self.heads, dim // self.heads).transpose(1, 2)


class CrossModalRead(nn.Module):
    """One direction of a block: a CLS goes into the other modality's space, reads there and comes back."""

    def __init__(self, dim: int, heads: int) -> None:
        """`transform` is the paper's modality transformation, `project` its cross-modal projector."""
        super().__init__()
        self.transform = nn.Linear(dim, dim)
        self.norm = nn.LayerNorm(dim, eps=NORM_EPS)
        self.attend = CrossAttention(dim, heads)
        self.project = nn.Linear(dim, dim)

    def forward(self, cls: Tensor, others: Tensor) -> Tensor:
        """(B, D), (B, N, D) -> (B, D)."""
        query = self.transform(cls)
        gathered: Tensor = self.project(query + self.attend(self._sequence(query, others)))
        return gathered

    def weights(self, cls: Tensor, others: Tensor) -> Tensor:
        """(B, D), (B, N, D) -> (B, heads, 1 + N): what the CLS reads, itself first."""
        return self.attend.weights(self._sequence(self.transform(cls), others))

    def _sequence(self, query: Tensor, others: Tensor) -> Tensor:
        # The query leads its own sequence: the CLS may read itself, and so may ignore the other side.
        normed: Tensor = self.norm(torch.cat([query[:, None], others], dim=1))
        return normed


class XMABlock(nn.Module):
    """Both directions, one after the other: the photo reads a sketch that has already read the photo."""

    def __init__(self, dim: int, heads: int) -> None:
        """The directions share no weights."""
        super().__init__()
        self.sketch_reads_photo = CrossModalRead(dim, heads)
        self.photo_reads_sketch = CrossModalRead(dim, heads)

    def forward(self, photo: Tensor, sketch: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 1 + Np, D), (B, 1 + Ns, D) -> the same; only the CLS tokens change.

        The sketch's CLS sees the photo's patches, not its CLS; the photo's CLS sees the sketch's new CLS and patches.
        """
        sketch_cls = self.sketch_reads_photo(sketch[:, 0], photo[:, 1:])
        sketch = torch.cat([sketch_cls[:, None], sketch[:, 1:]], dim=1)
        photo_cls = self.photo_reads_sketch(photo[:, 0], sketch)
        return torch.cat([photo_cls[:, None], photo[:, 1:]], dim=1), sketch
