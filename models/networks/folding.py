"""Students as they are exported: the same function in eval mode, with BatchNorms folded into convolutions."""

from __future__ import annotations

from typing import TypeVar

import torch
from torch import Tensor, nn

from models.networks.layers.trunk import Trunk

M = TypeVar("M", bound=nn.Module)

_VARIES_FROM = 1e-9  # variance; running ones of channels that died fade towards 0 and need not reach it


def fold_trunks(module: M) -> M:
    """Fold the norms of every CNN trunk in the module, in place, and put it into eval mode; the same module."""
    module.eval()
    # Folding replaces modules, so they are listed before the first one is.
    for part in list(module.modules()):
        if isinstance(part, Trunk):
            part.fold_norms()
    return module


def fold_norm(norm: nn.BatchNorm2d, project: nn.Conv2d) -> nn.Conv2d:
    """A 1x1 convolution with bias that computes `project(norm(x))` of a norm without scale and shift, in eval mode."""
    assert norm.running_mean is not None
    assert norm.running_var is not None
    scale = torch.rsqrt(norm.running_var + norm.eps)
    folded = nn.Conv2d(project.in_channels, project.out_channels, kernel_size=1)
    with torch.no_grad():
        folded.weight.copy_(project.weight * scale[None, :, None, None])
        folded.bias = nn.Parameter(-(folded.weight[:, :, 0, 0] @ norm.running_mean))
    return folded


def varying(norm: nn.BatchNorm1d) -> Tensor:
    """(C,) bool: channels that were not the same for every training image.

    A norm takes a channel's mean away, so one that never varies adds nothing to what follows. Where it did vary after
    all, on an image unlike any of training, the norm would have multiplied it by 1 / sqrt(eps).
    """
    assert norm.running_var is not None
    return norm.running_var > _VARIES_FROM


class FoldedLinear(nn.Module):
    """Computes `project(norm(x))` of a norm without scale and shift, in eval mode.

    The mean is subtracted first and not folded into a bias. Saturated channels have a large mean, hardly any variance
    and so large weights: two sums that nearly cancel would lose what half precision cuts off these.
    """

    mean: Tensor

    def __init__(self, norm: nn.BatchNorm1d, project: nn.Linear, kept: Tensor | None = None) -> None:
        """Copy both; they stay as they are. `kept` (C,) bool: channels of the input that are still there; None: all."""
        super().__init__()
        assert norm.running_mean is not None
        assert norm.running_var is not None
        kept = torch.ones_like(norm.running_mean, dtype=torch.bool) if kept is None else kept
        self.register_buffer("mean", norm.running_mean[kept])
        self.scaled = nn.Linear(int(kept.sum()), project.out_features, bias=False)
        with torch.no_grad():
            self.scaled.weight.copy_((project.weight * torch.rsqrt(norm.running_var + norm.eps))[:, kept])

    def forward(self, x: Tensor) -> Tensor:
        """(B, C kept) -> (B, E)."""
        projected: Tensor = self.scaled(x - self.mean)
        return projected


def pooled(features: Tensor, grid: int) -> Tensor:
    """(B, C, H, W) -> (B, C, g, g), H = W: `adaptive_avg_pool2d` in operations that export and have fast kernels."""
    side = features.shape[-1]
    if side == grid:
        return features
    if side % grid == 0:
        return nn.functional.avg_pool2d(features, side // grid)
    # The mean over a rectangle is a mean over rows of means over columns, so two matrix products give it.
    shares = _pooling_shares(side, grid).to(features)
    return shares @ features @ shares.T


def _pooling_shares(side: int, grid: int) -> Tensor:
    """(g, n): row i averages the columns that cell i covers, from floor(i n / g) to ceil((i + 1) n / g)."""
    shares = torch.zeros(grid, side)
    for cell in range(grid):
        start, stop = cell * side // grid, -(-(cell + 1) * side // grid)
        shares[cell, start:stop] = 1 / (stop - start)
    return shares
