"""Pooling to a grid that does not divide the map: every cell averages its own share of the area.

`adaptive_avg_pool2d` lets cells overlap where the sides do not divide (8 to 5: each cell sees two columns whole), which
blurs where things are.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def area_shares(side: int, grid: int) -> Tensor:
    """(g, n): row i holds the shares of each place in cell i, from i n / g to (i + 1) n / g; it sums to 1."""
    places = torch.arange(side, dtype=torch.float64)
    edges = torch.arange(grid + 1, dtype=torch.float64)[:, None] * side / grid
    overlap = torch.minimum(places + 1, edges[1:]) - torch.maximum(places, edges[:-1])
    return (overlap.clamp(min=0) * grid / side).float()


def area_pool(features: Tensor, grid: int) -> Tensor:
    """(B, C, H, W), H = W -> (B, C, g, g), the mean of each cell's area."""
    side = features.shape[-1]
    if side % grid == 0:
        return F.avg_pool2d(features, side // grid)
    shares = area_shares(side, grid).to(features)
    return shares @ features @ shares.T
