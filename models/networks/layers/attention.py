"""A pre-norm transformer block: self-attention and MLP, each with a shortcut. Key names as in timm."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

NORM_EPS = 1e-6  # timm's; published weights were trained with it


class Attention(nn.Module):
    """Multi-head self-attention (Vaswani et al., 2017)."""

    def __init__(self, dim: int, heads: int) -> None:
        """`dim` is split evenly between `heads`."""
        super().__init__()
        assert dim % heads == 0, f"{heads} heads do not divide a width of {dim}"
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)

    def forward(self, tokens: Tensor) -> Tensor:
        """(B, N, D) -> (B, N, D)."""
        batch, count, dim = tokens.shape
        qkv = self.qkv(tokens).reshape(batch, count, 3, self.heads, dim // self.heads)
        # The order of timm: q, k and v lie one after the other, each with its heads.
        q, k, v = qkv.permute(2, 0, 3, 1, 4)  # each (B, heads, N, d)
        attended = F.scaled_dot_product_attention(q, k, v)
        mixed: Tensor = self.proj(attended.transpose(1, 2).flatten(2))
        return mixed

    def cls_weights(self, tokens: Tensor) -> Tensor:
        """(B, N, D) -> (B, heads, N) in [0, 1], rows of sum 1: how much token 0 reads from each, to look at."""
        batch, count, dim = tokens.shape
        qkv = self.qkv(tokens).reshape(batch, count, 3, self.heads, dim // self.heads)
        # PyTorch's fused attention does not return its weights, so they are computed a second time.
        q, k, _ = qkv.permute(2, 0, 3, 1, 4)
        return torch.softmax(q[:, :, :1] @ k.transpose(2, 3) / q.shape[-1] ** 0.5, dim=-1)[:, :, 0]


class Mlp(nn.Module):
    """Two linear layers with a GELU between them."""

    def __init__(self, dim: int, hidden: int) -> None:
        """From `dim` to `hidden` and back."""
        super().__init__()
        self.fc1 = nn.Linear(dim, hidden)
        self.fc2 = nn.Linear(hidden, dim)

    def forward(self, tokens: Tensor) -> Tensor:
        """(B, N, D) -> (B, N, D)."""
        changed: Tensor = self.fc2(F.gelu(self.fc1(tokens)))
        return changed


class Block(nn.Module):
    """x + attention(norm(x)), then x + mlp(norm(x))."""

    def __init__(self, dim: int, heads: int, mlp_ratio: float) -> None:
        """`mlp_ratio`: the MLP's hidden width in widths of a token."""
        super().__init__()
        self.norm1 = nn.LayerNorm(dim, eps=NORM_EPS)
        self.attn = Attention(dim, heads)
        self.norm2 = nn.LayerNorm(dim, eps=NORM_EPS)
        self.mlp = Mlp(dim, int(dim * mlp_ratio))

    def forward(self, tokens: Tensor) -> Tensor:
        """(B, N, D) -> (B, N, D)."""
        tokens = tokens + self.attn(self.norm1(tokens))
        tokens = tokens + self.mlp(self.norm2(tokens))
        return tokens
