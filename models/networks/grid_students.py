"""Students whose embedding is a grid: what the trunk sees in each of grid x grid cells, `channels` numbers a cell.

Sketch and photo share a layout, and a globally pooled feature would forget it.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from models.networks.folding import fold_norm, fold_trunks, pooled
from models.networks.layers.mobilenet import MobileNetTrunk
from models.networks.layers.resnet import ResNetTrunk
from models.networks.layers.trunk import Trunk
from models.networks.preprocessing import IMAGENET, PixelStatistics
from models.networks.protocol import Encoded, Extra, StudentEncoder, StudentPair


@dataclass(frozen=True)
class GridStudentConfig:
    """`size_px`: input side. `widths`: channels of the trunk's stages. `grid`: cells a side. `channels`: per cell.

    `trunk`: the CNN whose first stages are kept. `levels`: how many of the last stages a cell sees, 1: the last alone.
    `shared_trunk`: sketch and photo share its weights and differ in their domain's statistics.
    """

    size_px: int = 160
    widths: tuple[int, ...] = (64, 128, 256)
    grid: int = 5
    channels: int = 32
    levels: int = 1
    shared_trunk: bool = True
    trunk: Literal["resnet18", "mobilenet_v2"] = "resnet18"
    form: Literal["grid"] = "grid"

    def build_trunk(self) -> Trunk:
        """One trunk of the configured kind and widths, with random weights."""
        return ResNetTrunk(self.widths) if self.trunk == "resnet18" else MobileNetTrunk(self.widths)

    def build(self) -> GridStudents:
        """A pair of this form with random weights, in training mode."""
        return GridStudents(self)

    @property
    def statistics(self) -> PixelStatistics:
        """ImageNet's."""
        return IMAGENET

    @property
    def embedding_parts(self) -> None:
        """An embedding of this form is not divided."""

    @property
    def embedding_dim(self) -> int:
        """Length E = channels * grid * grid of an embedding."""
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


class GridStudent(StudentEncoder):
    """A single-modality encoder: trunk, pooled to cells, then the grid head."""

    extras: frozenset[Extra] = frozenset({"feature_maps"})

    def __init__(self, trunk: Trunk, head: GridHead, grid: int, levels: int = 1) -> None:
        """`grid`, `levels`: see `GridStudentConfig`."""
        super().__init__()
        self.trunk = trunk
        self.head: GridHead = head
        self.grid = grid
        self.levels = levels

    def encode(self, images: Tensor, extras: frozenset[Extra] = frozenset()) -> Encoded:
        """(B, 3, S, S) normalised -> cells (B, C, g, g), C summed over the levels, and the requested extras."""
        maps = self.trunk.features(images)
        # Levels have different sides; pooled to one grid they can be joined.
        pooled_levels = [nn.functional.adaptive_avg_pool2d(level, self.grid) for level in maps[-self.levels :]]
        cells = torch.cat(pooled_levels, dim=1)
        return Encoded(cells, tuple(maps) if "feature_maps" in extras else ())

    def folded(self) -> FoldedGridStudent:
        """See `StudentEncoder.folded`."""
        return FoldedGridStudent(self)


class FoldedGridStudent(nn.Module):
    """The same function as a grid student in eval mode, without a BatchNorm left in it."""

    def __init__(self, student: GridStudent) -> None:
        """Copy the student and fold its norms; the student stays as it is."""
        super().__init__()
        student = fold_trunks(copy.deepcopy(student).float())
        self.trunk = student.trunk
        self.levels = student.levels
        self.grid = student.grid
        self.project = fold_norm(student.head.norm, student.head.project)
        self.eval()

    def forward(self, image: Tensor) -> Tensor:
        """(B, 3, S, S) normalised -> (B, E), rows of length 1."""
        # `pooled` and not `adaptive_avg_pool2d` as in training: the same means, in operations that export.
        cells = torch.cat([pooled(level, self.grid) for level in self.trunk.features(image)[-self.levels :]], dim=1)
        return nn.functional.normalize(self.project(cells).flatten(1), dim=1)


class GridStudents(StudentPair):
    """Sketch and photo student. With `shared_trunk` they differ in their domain's statistics alone."""

    sketch: GridStudent
    photo: GridStudent

    def __init__(self, config: GridStudentConfig) -> None:
        """Random weights; pretrained ones are loaded into the trunks afterwards."""
        super().__init__()
        self.config: GridStudentConfig = config
        sketch_trunk = config.build_trunk()
        photo_trunk = sketch_trunk if config.shared_trunk else config.build_trunk()
        width = sum(config.widths[-config.levels :])
        # One projection for both: two of them could learn a match between domains that no new category shares.
        project = nn.Conv2d(width, config.channels, kernel_size=1, bias=False)
        nn.init.orthogonal_(project.weight)
        self.sketch = GridStudent(sketch_trunk, GridHead(width, project), config.grid, config.levels)
        self.photo = GridStudent(photo_trunk, GridHead(width, project), config.grid, config.levels)

    @property
    def parts(self) -> Mapping[str, slice]:
        """`grid`: all of the embedding."""
        return {"grid": slice(0, self.config.embedding_dim)}

    def trunks(self) -> list[nn.Module]:
        """The trunk, or both where they are not shared."""
        return [self.sketch.trunk] if self.config.shared_trunk else [self.sketch.trunk, self.photo.trunk]

    def encode_pair(
        self, sketches: Tensor, photos: Tensor, extras: frozenset[Extra] = frozenset()
    ) -> tuple[Encoded, Encoded]:
        """(Bs, 3, S, S), (Bp, 3, S, S) normalised -> outputs of each; one pass through a shared trunk."""
        if not self.config.shared_trunk:
            return super().encode_pair(sketches, photos, extras)
        # The trunk uses no statistics of the batch, so sketches and photos do not influence each other in it.
        both, count = self.sketch.encode(torch.cat([sketches, photos]), extras), len(sketches)
        return (
            Encoded(both.cells[:count], tuple(level[:count] for level in both.feature_maps)),
            Encoded(both.cells[count:], tuple(level[count:] for level in both.feature_maps)),
        )
