"""Students that are transformers: the paper's, a small ViT each whose CLS gets the teacher's width, or with a layout.

As the paper has them (XModalViT, BMVC 2022), the two encoders share no weights.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor, nn

from models.networks.folding import fold_norm, fold_trunks, pooled
from models.networks.grid_students import GridHead
from models.networks.layers.attention import NORM_EPS
from models.networks.preprocessing import IMAGENET, PixelStatistics
from models.networks.protocol import Encoded, Extra, StudentEncoder, StudentPair
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
    form: Literal["vit"] = "vit"

    def build(self) -> VitStudents:
        """A pair of this form with random weights, in training mode."""
        return VitStudents(self)

    @property
    def size_px(self) -> int:
        """Input side."""
        return self.encoder.size_px

    @property
    def statistics(self) -> PixelStatistics:
        """ImageNet's."""
        return IMAGENET

    @property
    def embedding_parts(self) -> None:
        """An embedding of this form is not divided."""

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


class VitStudent(StudentEncoder):
    """A single-modality encoder: a transformer, then norm and linear map of its CLS, with a grid beside it or not."""

    extras: frozenset[Extra] = frozenset({"feature_maps", "attention"})

    def __init__(self, encoder: Vit, head: TokenHead, grid: int) -> None:
        """`grid`: cells a side that the head takes; 0: the CLS alone."""
        super().__init__()
        self.encoder = encoder
        self.head: TokenHead = head
        self.grid = grid

    def encode(self, images: Tensor, extras: frozenset[Extra] = frozenset()) -> Encoded:
        """(B, 3, S, S) normalised -> cells (B, 1 + g * g, D), the CLS and the tokens pooled to a grid, and extras.

        Feature maps are one: the tokens where they lie, (B, D, n, n).
        """
        # Fused attention hides its weights, so they cost a computation of their own: only on request.
        if "attention" in extras:
            tokens, attention = self.encoder.attended(images)
        else:
            tokens, attention = self.encoder(images), None
        maps = (token_map(tokens),) if "feature_maps" in extras else ()
        return Encoded(self._head_input(tokens), maps, attention)

    def folded(self) -> FoldedVitStudent:
        """See `StudentEncoder.folded`."""
        return FoldedVitStudent(self)

    def _head_input(self, tokens: Tensor) -> Tensor:
        if not self.grid:
            return tokens[:, :1]
        cells = nn.functional.adaptive_avg_pool2d(token_map(tokens), self.grid)
        # (B, D, g, g) -> (B, g * g, D): cells in the same order as tokens, so that the head can lay them out again.
        return torch.cat([tokens[:, :1], cells.flatten(2).transpose(1, 2)], dim=1)


class FoldedVitStudent(nn.Module):
    """The same function as a ViT student in eval mode; a transformer's norms are no constants and stay."""

    def __init__(self, student: VitStudent) -> None:
        """Copy the student and fold what can be folded; the student stays as it is."""
        super().__init__()
        student = fold_trunks(copy.deepcopy(student).float())
        head = student.head
        self.encoder = student.encoder
        self.norm, self.cls_project = head.norm, head.project
        self.grid, self.share = student.grid, head.share
        self.project = None if head.grid is None else fold_norm(head.grid.norm, head.grid.project)
        self.eval()

    def forward(self, image: Tensor) -> Tensor:
        """(B, 3, S, S) normalised -> (B, E), rows of length 1."""
        tokens = self.encoder(image)
        cls = nn.functional.normalize(self.cls_project(self.norm(tokens[:, 0])), dim=1)
        if self.project is None:
            return cls
        cells = pooled(token_map(tokens), self.grid)
        layout = nn.functional.normalize(self.project(cells).flatten(1), dim=1)
        return torch.cat([(1 - self.share) ** 0.5 * cls, self.share**0.5 * layout], dim=1)


class VitStudents(StudentPair):
    """Sketch and photo student; with `shared_encoder` they differ in their heads alone."""

    sketch: VitStudent
    photo: VitStudent

    def __init__(self, config: VitStudentConfig) -> None:
        """Random weights."""
        super().__init__()
        self.config: VitStudentConfig = config
        dim = config.encoder.dim
        sketch_encoder = Vit(config.encoder)
        photo_encoder = sketch_encoder if config.shared_encoder else Vit(config.encoder)
        # One projection for both modalities: see `GridStudents`.
        project = nn.Conv2d(dim, config.channels, kernel_size=1, bias=False) if config.grid else None
        if project is not None:
            nn.init.orthogonal_(project.weight)
        self.sketch = VitStudent(sketch_encoder, TokenHead(config, project), config.grid)
        self.photo = VitStudent(photo_encoder, TokenHead(config, project), config.grid)

    @property
    def parts(self) -> Mapping[str, slice]:
        """`cls` and, where there is one, `grid`: the numbers of each."""
        cls, whole = self.config.cls_dim, self.config.embedding_dim
        return {"cls": slice(0, cls), **({"grid": slice(cls, whole)} if whole > cls else {})}

    def trunks(self) -> list[nn.Module]:
        """The transformer, or both where they are not shared."""
        return [self.sketch.encoder] if self.config.shared_encoder else [self.sketch.encoder, self.photo.encoder]
