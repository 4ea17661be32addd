"""Images to tokens: square patches (ViT), or the cells of a CNN's feature map (hybrid), and where they lie.

Dosovitskiy et al., "An Image is Worth 16x16 Words", ICLR 2021; key names as in timm.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from models.networks.layers.resnet import ResNetTrunk


class PatchEmbed(nn.Module):
    """Non-overlapping patches, each through one linear map."""

    def __init__(self, size_px: int, patch_px: int, dim: int) -> None:
        """`size_px`: of the images that the grid of positions is made for; others work too."""
        super().__init__()
        self.grid = size_px // patch_px
        self.proj = nn.Conv2d(3, dim, kernel_size=patch_px, stride=patch_px)

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) -> (B, D, H / patch, W / patch)."""
        cells: Tensor = self.proj(images)
        return cells


class HybridEmbed(nn.Module):
    """A CNN's feature map, pooled to grid x grid cells, each through one linear map."""

    def __init__(self, backbone: ResNetTrunk, grid: int, dim: int) -> None:
        """`grid`: cells a side, whatever the size of the feature map."""
        super().__init__()
        self.grid = grid
        self.backbone = backbone
        self.proj = nn.Conv2d(backbone.channels_out, dim, kernel_size=1)

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) -> (B, D, g, g)."""
        features = self.backbone(images)
        if features.shape[-2:] != (self.grid, self.grid):
            features = nn.functional.adaptive_avg_pool2d(features, self.grid)
        cells: Tensor = self.proj(features)
        return cells


def resize_positions(positions: Tensor, height: int, width: int) -> Tensor:
    """(1, 1 + n * n, D) -> (1, 1 + height * width, D): bicubic over the square grid; the CLS position stays."""
    side = round((positions.shape[1] - 1) ** 0.5)
    if (height, width) == (side, side):
        return positions
    cls, grid = positions[:, :1], positions[:, 1:]
    cells = grid.transpose(1, 2).reshape(1, -1, side, side)  # (1, D, n, n)
    # As timm does it: in single precision, and smoothed where the grid shrinks.
    cells = nn.functional.interpolate(
        cells.float(), size=(height, width), mode="bicubic", antialias=True, align_corners=False
    )
    return torch.cat([cls, cells.flatten(2).transpose(1, 2).to(grid.dtype)], dim=1)
