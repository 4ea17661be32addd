"""Students whose embedding has two parts, *layout* (a grid of cells) and *kind* (pooled globally).

See `models.bundle.parts` for what the parts mean and how they are weighed. The trunk is an EfficientNet-Lite, or for a
teacher a ResNet-18: layout comes from its stages of stride 16 (of the ResNet: 8 and 16), kind from its last ones. Each
part is standardised by its domain's own statistics and projected by weights that the domains share. Sketch and photo
share the trunk but for its lowest stages: a stroke on paper has other edges than a photograph.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.bundle import EmbeddingParts
from models.networks.folding import FoldedLinear, fold_norm, fold_trunks, varying
from models.networks.layers.area_pool import area_pool
from models.networks.layers.efficientnet_lite import EfficientNetLite
from models.networks.layers.resnet import ResNetTrunk
from models.networks.preprocessing import IMAGENET, SYMMETRIC, PixelStatistics
from models.networks.protocol import Encoded, Extra, StudentEncoder, StudentPair

PartTrunk = EfficientNetLite | ResNetTrunk
TrunkName = Literal["efficientnet_lite", "resnet18"]
_RESNET_WIDTHS = (64, 128, 256, 512)


@dataclass(frozen=True)
class PartMaps:
    """Numbers in the trunk's `features` that layout and kind are made of."""

    layout: tuple[int, ...]
    kind: tuple[int, ...]


# EfficientNet-Lite: the two maps of stride 16; the last stage and the convolution behind it.
_MAPS: Mapping[TrunkName, PartMaps] = {
    "efficientnet_lite": PartMaps((3, 4), (6, 7)),
    "resnet18": PartMaps((1, 2), (3,)),
}


@dataclass(frozen=True)
class PartStudentConfig:
    """`size_px`: input side. `trunk`: its kind. `width`, `depth`: of an EfficientNet-Lite, see there.

    `grid`: cells a side of the layout.

    `channels`: of the layout, per cell. `kind_dim`: numbers of the kind. `own_stages`: how many of the lowest stages
    each domain has for itself, the stem with them; 0: the stem alone. `layout_weight`: w of `EmbeddingParts`.
    """

    size_px: int = 128
    trunk: TrunkName = "efficientnet_lite"
    width: float = 1.0
    depth: float = 1.1
    grid: int = 5
    channels: int = 32
    kind_dim: int = 192
    own_stages: int = 2
    layout_weight: float = math.sqrt(0.5)
    form: Literal["parts"] = "parts"

    @property
    def statistics(self) -> PixelStatistics:
        """What the trunk's published weights expect."""
        return SYMMETRIC if self.trunk == "efficientnet_lite" else IMAGENET

    @property
    def maps(self) -> PartMaps:
        """What the parts are made of."""
        return _MAPS[self.trunk]

    def build_trunk(self) -> PartTrunk:
        """One trunk with random weights."""
        if self.trunk == "efficientnet_lite":
            return EfficientNetLite(self.width, self.depth)
        return ResNetTrunk(_RESNET_WIDTHS)

    @property
    def embedding_parts(self) -> EmbeddingParts:
        """Layout, then kind."""
        layout_dim = self.grid * self.grid * self.channels
        return EmbeddingParts(layout_dim=layout_dim, kind_dim=self.kind_dim, layout_weight=self.layout_weight)

    @property
    def embedding_dim(self) -> int:
        """Length E = channels * grid * grid + kind_dim of an embedding."""
        return self.embedding_parts.layout_dim + self.kind_dim

    def build(self) -> PartStudents:
        """A pair of this form with random weights, in training mode."""
        return PartStudents(self)


class LayoutHead(nn.Module):
    """Cells to the layout."""

    def __init__(self, channels_in: int, project: nn.Conv2d) -> None:
        """`project`: 1x1, which heads may share."""
        super().__init__()
        self.norm = nn.BatchNorm2d(channels_in, affine=False)
        self.project = project

    def forward(self, cells: Tensor) -> Tensor:
        """(B, C, g, g) -> (B, channels * g * g), rows of length 1."""
        return F.normalize(self.project(self.norm(cells)).flatten(1), dim=1)


class KindHead(nn.Module):
    """Pooled features to the kind."""

    def __init__(self, channels_in: int, project: nn.Linear) -> None:
        """`project`: which heads may share."""
        super().__init__()
        self.norm = nn.BatchNorm1d(channels_in, affine=False)
        self.project = project

    def forward(self, pooled: Tensor) -> Tensor:
        """(B, C') -> (B, kind_dim), rows of length 1."""
        return F.normalize(self.project(self.norm(pooled)), dim=1)


class PartHead(nn.Module):
    """Both parts, weighed into one embedding."""

    def __init__(self, layout: LayoutHead, kind: KindHead, config: PartStudentConfig) -> None:
        """`config`: of the students."""
        super().__init__()
        self.layout = layout
        self.kind = kind
        self.grid = config.grid
        self.parts = config.embedding_parts

    def forward(self, cells: Tensor) -> Tensor:
        """(B, C g g + C'): the layout's cells, flat, then what is pooled -> (B, E), rows of length 1."""
        grid, pooled = self._divided(cells)
        return _weighed(self.layout(grid), self.kind(pooled), self.parts)

    def with_unpaired(self, cells: Tensor, unpaired: Tensor) -> tuple[Tensor, Tensor]:
        """(B, C g g + C'), (N, the same) -> (B, E) unit rows, (N, E) whose layout is zeros.

        The kinds of both are standardised together; the layout's statistics are those of the pairs alone, since what
        belongs to no pair has no layout to learn.
        """
        grid, pooled = self._divided(cells)
        kinds = self.kind(torch.cat([pooled, self._divided(unpaired)[1]]))
        layout = self.layout(grid)
        without = layout.new_zeros(len(unpaired), layout.shape[1])
        return _weighed(layout, kinds[: len(cells)], self.parts), _weighed(without, kinds[len(cells) :], self.parts)

    def _divided(self, cells: Tensor) -> tuple[Tensor, Tensor]:
        channels = self.layout.norm.num_features
        pooled_from = channels * self.grid * self.grid
        grid = cells[:, :pooled_from].reshape(len(cells), channels, self.grid, self.grid)
        return grid, cells[:, pooled_from:]


class PartStudent(StudentEncoder):
    """A single-modality encoder of both parts."""

    extras: frozenset[Extra] = frozenset({"feature_maps"})

    def __init__(self, trunk: PartTrunk, head: PartHead, maps: PartMaps) -> None:
        """Modules may be shared with another encoder."""
        super().__init__()
        self.trunk = trunk
        self.head: PartHead = head
        self.maps = maps

    def encode(self, images: Tensor, extras: frozenset[Extra] = frozenset()) -> Encoded:
        """(B, 3, S, S) normalised -> the head's input and the requested extras."""
        maps = self.trunk.features(images)
        cells = _grid_cells(maps, self.maps.layout, self.head.grid).flatten(1)
        cells = torch.cat([cells, _pooled(maps, self.maps.kind)], dim=1)
        return Encoded(cells, tuple(maps) if "feature_maps" in extras else ())

    def folded(self) -> FoldedPartStudent:
        """See `StudentEncoder.folded`."""
        return FoldedPartStudent(self)


class FoldedPartStudent(nn.Module):
    """The same function as a student of two parts in eval mode, without a BatchNorm left in it.

    Channels of the last convolution that never varied in training are left out: many die, and no file need hold them.
    """

    def __init__(self, student: PartStudent) -> None:
        """Copy the student and fold its norms; the student stays as it is."""
        super().__init__()
        student = fold_trunks(copy.deepcopy(student).float())
        self.trunk = student.trunk
        self.maps = student.maps
        self.layout = fold_norm(student.head.layout.norm, student.head.layout.project)
        kept = varying(student.head.kind.norm)
        if isinstance(self.trunk, EfficientNetLite):
            kept[: self.trunk.widths[-1]] = True  # the last stage, which the last convolution reads from, stays whole
            self.trunk.narrow_head(kept[self.trunk.widths[-1] :])
        else:
            kept[:] = True
        self.kind = FoldedLinear(student.head.kind.norm, student.head.kind.project, kept)
        self.grid, self.parts = student.head.grid, student.head.parts
        self.eval()

    def forward(self, image: Tensor) -> Tensor:
        """(B, 3, S, S) normalised -> (B, E), rows of length 1."""
        maps = self.trunk.features(image)
        layout = F.normalize(self.layout(_grid_cells(maps, self.maps.layout, self.grid)).flatten(1), dim=1)
        kind = F.normalize(self.kind(_pooled(maps, self.maps.kind)), dim=1)
        return _weighed(layout, kind, self.parts)


class PartStudents(StudentPair):
    """Sketch and photo student of two parts."""

    sketch: PartStudent
    photo: PartStudent

    def __init__(self, config: PartStudentConfig) -> None:
        """Random weights; pretrained ones are loaded into the trunks afterwards."""
        super().__init__()
        self.config: PartStudentConfig = config
        trunk, maps = config.build_trunk(), config.maps
        in_cells, in_pooled = (sum(trunk.map_widths[n] for n in numbers) for numbers in (maps.layout, maps.kind))
        # One projection of each part for both: see `GridStudents`.
        layout = nn.Conv2d(in_cells, config.channels, 1, bias=False)
        nn.init.orthogonal_(layout.weight)
        kind = nn.Linear(in_pooled, config.kind_dim, bias=False)
        # Inputs come with variance 1 from the norm; with this deviation the outputs start with it as well.
        nn.init.normal_(kind.weight, std=in_pooled**-0.5)

        def head() -> PartHead:
            return PartHead(LayoutHead(in_cells, layout), KindHead(in_pooled, kind), config)

        self.photo = PartStudent(trunk, head(), maps)
        self.sketch = PartStudent(trunk.with_own(config.own_stages), head(), maps)

    @property
    def parts(self) -> Mapping[str, slice]:
        """`layout` and `kind`."""
        layout_dim = self.config.embedding_parts.layout_dim
        return {"layout": slice(0, layout_dim), "kind": slice(layout_dim, self.config.embedding_dim)}

    def trunks(self) -> list[nn.Module]:
        """The photo's trunk, and what the sketch's has for itself."""
        return [self.photo.trunk, self.sketch.trunk.lowest(self.config.own_stages)]

    def last_convolution(self) -> list[nn.Parameter]:
        """Of an EfficientNet-Lite, whose folded norms make its gradients large; a ResNet has none behind its stages."""
        trunk = self.photo.trunk
        return list(trunk.head.parameters()) if isinstance(trunk, EfficientNetLite) else []


def _grid_cells(maps: Sequence[Tensor], numbers: tuple[int, ...], grid: int) -> Tensor:
    """The trunk's maps -> (B, C, g, g)."""
    return torch.cat([area_pool(maps[number], grid) for number in numbers], dim=1)


def _pooled(maps: Sequence[Tensor], numbers: tuple[int, ...]) -> Tensor:
    """The trunk's maps -> (B, C')."""
    return torch.cat([maps[number].mean(dim=(2, 3)) for number in numbers], dim=1)


def _weighed(layout: Tensor, kind: Tensor, parts: EmbeddingParts) -> Tensor:
    return torch.cat([parts.layout_weight * layout, parts.kind_weight * kind], dim=1)
