"""Students that are transformers: the paper's, a small ViT each whose CLS gets the teacher's width, or with a layout.

They answer the same calls as `Students`: `cells` for what one image gives, `head` for what needs the whole batch.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from models.networks.grid_students import GridHead
from models.networks.layers.attention import NORM_EPS
from models.networks.vit import Vit, VitConfig, token_map


@dataclass(frozen=True)
class VitStudentConfig:
    """`encoder`: of each modality, by default ViT-Ti/16. `cls_dim`: numbers made of the CLS, the teacher's width.

    `grid`, `channels`, `grid_share`: a layout beside the CLS, as in `TeacherConfig`. `shared_encoder`: one for both.
    """

    encoder: VitConfig = field(default_factory=lambda: VitConfig(dim=192, heads=3))
    cls_dim: int = 768
    grid: int = 0
    channels: int = 32
    grid_share: float = 0.5
    shared_encoder: bool = False

    @property
    def size_px(self) -> int:
        """Input side."""
        return self.encoder.size_px

    @property
    def embedding_dim(self) -> int:
        """Length of an embedding."""
        return self.cls_dim + self.grid * self.grid * self.channels


class TokenHead(nn.Module):
    """Norm and one linear map of the CLS; where there is a grid, its cells beside it."""

    def __init__(self, config: VitStudentConfig, project: nn.Conv2d | None) -> None:
        """`project`: the cells' projection, which both modalities share."""
        super().__init__()
        self.share = config.grid_share
        self.norm = nn.LayerNorm(config.encoder.dim, eps=NORM_EPS)
        self.project = nn.Linear(config.encoder.dim, config.cls_dim)
        self.grid = None if project is None else GridHead(config.encoder.dim, project)

    def forward(self, cells: Tensor) -> Tensor:
        """(B, 1 + g * g, D), CLS first -> (B, E), rows of length 1."""
        cls = nn.functional.normalize(self.project(self.norm(cells[:, 0])), dim=1)
        if self.grid is None:
            return cls
        layout = self.grid(token_map(cells))
        return torch.cat([(1 - self.share) ** 0.5 * cls, self.share**0.5 * layout], dim=1)


class VitStudent(nn.Module):
    """A single-modality encoder."""

    def __init__(self, encoder: Vit, head: TokenHead, grid: int) -> None:
        """`grid`: cells a side that the head takes; 0: the CLS alone."""
        super().__init__()
        self.encoder = encoder
        self.head = head
        self.grid = grid

    def cells(self, images: Tensor) -> Tensor:
        """(B, 3, S, S) normalised -> (B, 1 + g * g, D): the CLS and the tokens pooled to a grid."""
        tokens: Tensor = self.encoder(images)
        if not self.grid:
            return tokens[:, :1]
        pooled = nn.functional.adaptive_avg_pool2d(token_map(tokens), self.grid)
        return torch.cat([tokens[:, :1], pooled.flatten(2).transpose(1, 2)], dim=1)

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, S, S) normalised -> (B, E), rows of length 1."""
        embedding: Tensor = self.head(self.cells(images))
        return embedding


class VitStudents(nn.Module):
    """Sketch and photo student; as the paper has them they share nothing."""

    def __init__(self, config: VitStudentConfig) -> None:
        """Random weights."""
        super().__init__()
        self.config = config
        dim = config.encoder.dim
        sketch_encoder = Vit(config.encoder)
        photo_encoder = sketch_encoder if config.shared_encoder else Vit(config.encoder)
        project = nn.Conv2d(dim, config.channels, kernel_size=1, bias=False) if config.grid else None
        if project is not None:
            nn.init.orthogonal_(project.weight)
        self.sketch = VitStudent(sketch_encoder, TokenHead(config, project), config.grid)
        self.photo = VitStudent(photo_encoder, TokenHead(config, project), config.grid)

    def trunks(self) -> list[Vit]:
        """The distinct encoders."""
        return [self.sketch.encoder] if self.config.shared_encoder else [self.sketch.encoder, self.photo.encoder]

    def projections(self) -> list[nn.Parameter]:
        """The heads' parameters, each once."""
        return list(dict.fromkeys((*self.sketch.head.parameters(), *self.photo.head.parameters())))

    def cells(self, sketches: Tensor, photos: Tensor) -> tuple[Tensor, Tensor]:
        """(Bs, 3, S, S), (Bp, 3, S, S) normalised -> cells of each."""
        return self.sketch.cells(sketches), self.photo.cells(photos)
