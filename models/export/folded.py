"""What is exported: a student's function with its norms folded into convolutions and its weights rounded to half."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from models.export.stored_weights import HALVED_FROM
from models.networks.grid_students import GridHead, Student
from models.networks.layers.mobilenet import MobileNetTrunk
from models.networks.layers.resnet import BasicBlock, ResNetTrunk
from models.networks.vit import token_map
from models.networks.vit_students import VitStudent


class FoldedStudent(nn.Module):
    """The same function as a grid student in eval mode, without a BatchNorm left in it."""

    def __init__(self, student: Student) -> None:
        """Copy the student and fold its norms; the student stays as it is."""
        super().__init__()
        student = copy.deepcopy(student).float()
        _fold_trunks(student)
        self.trunk = student.trunk
        self.levels = student.levels
        self.grid = student.grid
        self.project = _fold_norm(student.head)
        self.eval()

    def forward(self, image: Tensor) -> Tensor:
        """(B, 3, S, S) -> (B, E), rows of length 1."""
        cells = torch.cat([_pooled(level, self.grid) for level in self.trunk.features(image)[-self.levels :]], dim=1)
        return nn.functional.normalize(self.project(cells).flatten(1), dim=1)


class FoldedVitStudent(nn.Module):
    """The same function as a ViT student in eval mode; a transformer's norms are no constants and stay."""

    def __init__(self, student: VitStudent) -> None:
        """Copy the student and fold what can be folded; the student stays as it is."""
        super().__init__()
        student = copy.deepcopy(student).float()
        _fold_trunks(student)
        self.encoder = student.encoder
        self.norm, self.cls_project = student.head.norm, student.head.project
        self.grid, self.share = student.grid, student.head.share
        self.project = None if student.head.grid is None else _fold_norm(student.head.grid)
        self.eval()

    def forward(self, image: Tensor) -> Tensor:
        """(B, 3, S, S) -> (B, E), rows of length 1."""
        tokens = self.encoder(image)
        cls = nn.functional.normalize(self.cls_project(self.norm(tokens[:, 0])), dim=1)
        if self.project is None:
            return cls
        cells = _pooled(token_map(tokens), self.grid)
        layout = nn.functional.normalize(self.project(cells).flatten(1), dim=1)
        return torch.cat([(1 - self.share) ** 0.5 * cls, self.share**0.5 * layout], dim=1)


def fold(student: Student | VitStudent, *, halved: bool) -> FoldedStudent | FoldedVitStudent:
    """A student of either form, folded. `halved`: large weights are rounded to what half precision can store, which is
    what is exported and what is measured."""
    folded = FoldedStudent(student) if isinstance(student, Student) else FoldedVitStudent(student)
    if halved:
        with torch.no_grad():
            for weights in folded.parameters():
                if weights.numel() >= HALVED_FROM:
                    weights.copy_(weights.half())
    return folded.requires_grad_(False)


def _fold_trunks(module: nn.Module) -> None:
    """Fold the BatchNorms of every CNN in the module into the convolutions before them, in place."""
    module.eval()
    for part in list(module.modules()):
        if isinstance(part, ResNetTrunk):
            part.conv1, part.bn1 = _fuse(part.conv1, part.bn1)
        elif isinstance(part, BasicBlock):
            part.conv1, part.bn1 = _fuse(part.conv1, part.bn1)
            part.conv2, part.bn2 = _fuse(part.conv2, part.bn2)
            if part.downsample is not None:
                part.downsample = nn.Sequential(*_fuse(*part.downsample))
        elif isinstance(part, MobileNetTrunk):
            for chain in [inner for inner in part.modules() if isinstance(inner, nn.Sequential)]:
                _fuse_within(chain)


def _fuse_within(chain: nn.Sequential) -> None:
    """Fold each BatchNorm that follows a convolution in the chain into it."""
    for number in range(1, len(chain)):
        if isinstance(chain[number], nn.BatchNorm2d):
            chain[number - 1], chain[number] = _fuse(chain[number - 1], chain[number])


def _fuse(conv: nn.Module, norm: nn.Module) -> tuple[nn.Conv2d, nn.Module]:
    assert isinstance(conv, nn.Conv2d)
    assert isinstance(norm, nn.BatchNorm2d)
    return fuse_conv_bn_eval(conv, norm), nn.Identity()


def _fold_norm(head: GridHead) -> nn.Conv2d:
    """A projection that does what the head's normalisation and projection did."""
    norm, project = head.norm, head.project
    assert norm.running_mean is not None
    assert norm.running_var is not None
    scale = torch.rsqrt(norm.running_var + norm.eps)
    folded = nn.Conv2d(project.in_channels, project.out_channels, kernel_size=1)
    with torch.no_grad():
        folded.weight.copy_(project.weight * scale[None, :, None, None])
        folded.bias = nn.Parameter(-(folded.weight[:, :, 0, 0] @ norm.running_mean))
    return folded


def _pooled(features: Tensor, grid: int) -> Tensor:
    """(B, C, H, W) -> (B, C, g, g), H = W: `adaptive_avg_pool2d` in operations that export and have fast kernels."""
    side = features.shape[-1]
    if side == grid:
        return features
    if side % grid == 0:
        return nn.functional.avg_pool2d(features, side // grid)
    shares = _pooling_shares(side, grid).to(features)
    return shares @ features @ shares.T


def _pooling_shares(side: int, grid: int) -> Tensor:
    """(g, n): row i averages the places that cell i covers, from floor(i n / g) to ceil((i + 1) n / g)."""
    shares = torch.zeros(grid, side)
    for cell in range(grid):
        start, stop = cell * side // grid, -(-(cell + 1) * side // grid)
        shares[cell, start:stop] = 1 / (stop - start)
    return shares
