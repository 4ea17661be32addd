"""The fused teacher: it sees the sketch *and* the photo of a pair, which no encoder at query time can.

XModalViT (Chaudhuri et al., BMVC 2022, arXiv 2210.10486): a transformer for each modality, then K blocks in which the
two CLS tokens read the other side. What it answers for a pair is two vectors, r_p and r_s; there is no joint one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from models.networks.grid_students import GridHead
from models.networks.layers.cross_attention import XMABlock
from models.networks.vit import Vit, VitConfig, token_map


@dataclass(frozen=True)
class TeacherConfig:
    """`encoder`: of each modality. `fusion_blocks`: K; 0 leaves both unfused. `fusion_heads`: of each XMA block.

    `grid` > 0 puts a layout beside each CLS: the modality's own tokens pooled to grid x grid cells of `channels`
    numbers, which make up `grid_share` of the squared length; the paper has none.
    """

    encoder: VitConfig = field(default_factory=VitConfig)
    fusion_blocks: int = 3
    fusion_heads: int = 3
    grid: int = 0
    channels: int = 32
    grid_share: float = 0.5

    @property
    def embedding_dim(self) -> int:
        """Length of r_p and of r_s."""
        return self.encoder.dim + self.grid * self.grid * self.channels


@dataclass(frozen=True)
class TeacherCells:
    """Of each pair, before anything that needs the whole batch: CLS tokens (B, D), cells (B, D, g, g); g may be 0."""

    photo_cls: Tensor
    sketch_cls: Tensor
    photo_cells: Tensor
    sketch_cells: Tensor

    def float(self) -> TeacherCells:
        """The same in single precision."""
        return TeacherCells(*(part.float() for part in vars(self).values()))


class Teacher(nn.Module):
    """Sketch and photo of a pair -> (r_p, r_s)."""

    def __init__(self, config: TeacherConfig) -> None:
        """Random weights; the encoders share none."""
        super().__init__()
        self.config = config
        dim = config.encoder.dim
        self.photo_encoder = Vit(config.encoder)
        self.sketch_encoder = Vit(config.encoder)
        self.fusion = nn.ModuleList(XMABlock(dim, config.fusion_heads) for _ in range(config.fusion_blocks))
        self.photo_grid: GridHead | None = None
        self.sketch_grid: GridHead | None = None
        if config.grid:
            # One projection for both modalities, as in the students: their cells have to mean the same.
            project = nn.Conv2d(dim, config.channels, kernel_size=1, bias=False)
            nn.init.orthogonal_(project.weight)
            self.photo_grid = GridHead(dim, project)
            self.sketch_grid = GridHead(dim, project)

    @property
    def parts(self) -> Mapping[str, slice]:
        """Ranges of r_p and r_s: `cls` and, where there is one, `grid`, which knows its own image alone."""
        cls, whole = self.config.encoder.dim, self.config.embedding_dim
        return {"cls": slice(0, cls), **({"grid": slice(cls, whole)} if whole > cls else {})}

    def fuse(self, photo_tokens: Tensor, sketch_tokens: Tensor) -> TeacherCells:
        """Tokens (B, 1 + N, D) of each encoder -> what the XMA blocks make of them."""
        photo, sketch = photo_tokens, sketch_tokens
        for block in self.fusion:
            photo, sketch = block(photo, sketch)
        return TeacherCells(photo[:, 0], sketch[:, 0], self._pooled(photo), self._pooled(sketch))

    def cells(self, photos: Tensor, sketches: Tensor) -> TeacherCells:
        """(B, 3, S, S) normalised of each; row i of both is a pair."""
        return self.fuse(self.photo_encoder(photos), self.sketch_encoder(sketches))

    def embed(self, cells: TeacherCells) -> tuple[Tensor, Tensor]:
        """Cells of a whole batch -> r_p, r_s (B, E). Without a grid they are the CLS tokens as they are."""
        if self.photo_grid is None or self.sketch_grid is None:
            return cells.photo_cls, cells.sketch_cls
        return (
            self._beside(cells.photo_cls, self.photo_grid(cells.photo_cells)),
            self._beside(cells.sketch_cls, self.sketch_grid(cells.sketch_cells)),
        )

    def forward(self, photos: Tensor, sketches: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 3, S, S) normalised of each -> r_p, r_s (B, E)."""
        return self.embed(self.cells(photos, sketches))

    def attention(self, photos: Tensor, sketches: Tensor) -> list[tuple[Tensor, Tensor]]:
        """(B, 3, S, S) normalised of each -> of each XMA block what the sketch's CLS reads of the photo's cells and the
        photo's of the sketch's, (B, heads, h, w) each, to look at."""
        photo, sketch = self.photo_encoder(photos), self.sketch_encoder(sketches)
        maps = []
        for block in self.fusion:
            assert isinstance(block, XMABlock)
            on_photo = block.sketch_reads_photo.weights(sketch[:, 0], photo[:, 1:])
            # Within a block the photo's CLS still is the old one when it reads, but the sketch is the new one already.
            old_photo_cls = photo[:, 0]
            photo, sketch = block(photo, sketch)
            on_sketch = block.photo_reads_sketch.weights(old_photo_cls, sketch)
            # The reader itself comes first, and before the sketch's cells its CLS too.
            maps.append((token_map(on_photo.transpose(1, 2)), token_map(on_sketch[:, :, 1:].transpose(1, 2))))
        return maps

    def grid_parameters(self) -> list[nn.Parameter]:
        """Parameters of the grid heads, each once."""
        heads = [head for head in (self.photo_grid, self.sketch_grid) if head is not None]
        # The heads share their projection, which an optimiser must not be given twice.
        return list(dict.fromkeys(parameter for head in heads for parameter in head.parameters()))

    def _pooled(self, tokens: Tensor) -> Tensor:
        if not self.config.grid:
            return tokens.new_empty(len(tokens), tokens.shape[2], 0, 0)
        return nn.functional.adaptive_avg_pool2d(token_map(tokens), self.config.grid)

    def _beside(self, cls: Tensor, grid: Tensor) -> Tensor:
        share = self.config.grid_share
        # Both parts have length 1, so these factors make their squared lengths the shares, with the sum 1.
        unit = nn.functional.normalize(cls, dim=1)
        return torch.cat([(1 - share) ** 0.5 * unit, share**0.5 * grid], dim=1)
