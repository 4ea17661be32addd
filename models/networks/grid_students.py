"""The two students: one encoder for sketches, one for photos, into one space.

An embedding is a grid: what the trunk sees in each of grid x grid cells, `channels` numbers a cell. Sketch and photo
share a layout, and a globally pooled feature would forget it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from models.networks.layers.mobilenet import MobileNetTrunk
from models.networks.layers.resnet import ResNetTrunk
from models.networks.layers.trunks import Trunk


@dataclass(frozen=True)
class StudentConfig:
    """`size_px`: input side. `widths`: channels of the trunk's stages. `grid`: cells a side. `channels`: per cell.

    `trunk`: what the stages are those of. `levels`: how many of the last stages a cell sees, 1 for the last alone.
    """

    size_px: int = 160
    widths: tuple[int, ...] = (64, 128, 256)
    grid: int = 5
    channels: int = 32
    levels: int = 1
    shared_trunk: bool = True
    trunk: Literal["resnet18", "mobilenet_v2"] = "resnet18"

    def build_trunk(self) -> Trunk:
        """One trunk, with random weights."""
        return ResNetTrunk(self.widths) if self.trunk == "resnet18" else MobileNetTrunk(self.widths)

    @property
    def embedding_dim(self) -> int:
        """Length of an embedding."""
        return self.grid * self.grid * self.channels


class GridHead(nn.Module):
    """Cells to an embedding. The statistics are the domain's own, so what is typical of all sketches does not count."""

    def __init__(self, channels_in: int, project: nn.Conv2d) -> None:
        """`project`: the 1x1 convolution to the embedding's channels, which heads may share."""
        super().__init__()
        self.norm = nn.BatchNorm2d(channels_in, affine=False)
        self.project = project

    def forward(self, cells: Tensor) -> Tensor:
        """(B, C, g, g) -> (B, E), rows of length 1."""
        return nn.functional.normalize(self.project(self.norm(cells)).flatten(1), dim=1)


class Student(nn.Module):
    """A single-modality encoder."""

    def __init__(self, trunk: Trunk, head: GridHead, grid: int, levels: int = 1) -> None:
        """`grid`, `levels`: see `StudentConfig`."""
        super().__init__()
        self.trunk = trunk
        self.head = head
        self.grid = grid
        self.levels = levels

    def cells(self, images: Tensor) -> Tensor:
        """(B, 3, S, S) normalised -> (B, C, g, g)."""
        seen = self.trunk.features(images)[-self.levels :]
        return torch.cat([nn.functional.adaptive_avg_pool2d(level, self.grid) for level in seen], dim=1)

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, S, S) normalised -> (B, E), rows of length 1."""
        embedding: Tensor = self.head(self.cells(images))
        return embedding


class Students(nn.Module):
    """Sketch and photo student. With `shared_trunk` they differ in their domain's statistics alone."""

    def __init__(self, config: StudentConfig) -> None:
        """Random weights; pretrained ones are loaded into the trunks afterwards."""
        super().__init__()
        self.config = config
        sketch_trunk = config.build_trunk()
        photo_trunk = sketch_trunk if config.shared_trunk else config.build_trunk()
        width = sum(config.widths[-config.levels :])
        # One projection for both: two of them could learn a match between domains that no new category shares.
        project = nn.Conv2d(width, config.channels, kernel_size=1, bias=False)
        nn.init.orthogonal_(project.weight)
        self.sketch = Student(sketch_trunk, GridHead(width, project), config.grid, config.levels)
        self.photo = Student(photo_trunk, GridHead(width, project), config.grid, config.levels)

    def trunks(self) -> list[Trunk]:
        """The distinct trunks."""
        return [self.sketch.trunk] if self.config.shared_trunk else [self.sketch.trunk, self.photo.trunk]

    def projections(self) -> list[nn.Parameter]:
        """The heads' parameters, each once."""
        return list(dict.fromkeys((*self.sketch.head.parameters(), *self.photo.head.parameters())))

    def cells(self, sketches: Tensor, photos: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 3, S, S) of each -> (B, C, g, g) of each; one pass through a shared trunk."""
        if not self.config.shared_trunk:
            return self.sketch.cells(sketches), self.photo.cells(photos)
        both = self.sketch.cells(torch.cat([sketches, photos]))
        return both[: len(sketches)], both[len(sketches) :]
