"""HED: a network that finds the edges that people would mark.

Xie and Tu, "Holistically-Nested Edge Detection", ICCV 2015: the convolutions of VGG-16; each of its five blocks says
where it sees edges, and a weighted sum decides. Nothing is trained here: the published weights draw photos.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

_BLOCKS = ((3, 64, 64), (64, 128, 128), (128, 256, 256, 256), (256, 512, 512, 512), (512, 512, 512, 512))
_MEAN_BGR = (104.007, 116.669, 122.679)  # of 255, subtracted from what the published network sees


class EdgeNetwork(nn.Module):
    """Photos to the probability of an edge at each pixel."""

    def __init__(self) -> None:
        """Random weights; see `load_published`."""
        super().__init__()
        self.blocks = nn.ModuleList(
            nn.ModuleList(nn.Conv2d(channels_in, channels, 3, padding=1) for channels_in, channels in pairwise(widths))
            for widths in _BLOCKS
        )
        self.sides = nn.ModuleList(nn.Conv2d(widths[-1], 1, 1) for widths in _BLOCKS)
        self.fuse = nn.Conv2d(len(_BLOCKS), 1, 1)

    def load_published(self, values: Mapping[str, Tensor]) -> None:
        """Copy the arrays of the published Keras file, by their paths in it. Raises KeyError, RuntimeError."""
        for number, (block, side) in enumerate(zip(self.blocks, self.sides, strict=True), start=1):
            assert isinstance(block, nn.ModuleList)
            for place, convolution in enumerate(block):
                name = f"conv2d_{place}" if place else "conv2d"
                _load_keras(convolution, values, f"block{number}/layers/{name}")
            _load_keras(side, values, f"dsn{number}")
        _load_keras(self.fuse, values, "fuse")

    def forward(self, photos: Tensor) -> Tensor:
        """(B, 3, H, W) RGB in [0, 1] -> (B, 1, H, W) in [0, 1]."""
        mean = torch.tensor(_MEAN_BGR, device=photos.device).view(3, 1, 1)
        x = photos.flip(1) * 255 - mean
        size = photos.shape[-2:]
        found = []
        for number, (block, side) in enumerate(zip(self.blocks, self.sides, strict=True)):
            assert isinstance(block, nn.ModuleList)
            x = F.max_pool2d(x, 2, ceil_mode=True) if number else x
            for convolution in block:
                x = F.relu(convolution(x))
            found.append(F.interpolate(side(x).float(), size=size, mode="bilinear", align_corners=False))
        edges: Tensor = self.fuse(torch.cat(found, dim=1))
        return torch.sigmoid(edges.float())


def _load_keras(convolution: nn.Module, values: Mapping[str, Tensor], name: str) -> None:
    kernel, bias = values[f"{name}/vars/0"], values[f"{name}/vars/1"]
    # Keras has (height, width, in, out).
    convolution.load_state_dict({"weight": kernel.permute(3, 2, 0, 1), "bias": bias})
