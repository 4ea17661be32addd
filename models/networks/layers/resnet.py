"""ResNet-18 up to its third stage, with torchvision's key names so that published weights load as they are.

The trunk stops at stage 3: there the features still say *where* something is, which is what tells one shoe from
another; stage 4 and the global pool are trained to forget it (He et al., "Deep Residual Learning", CVPR 2016).
"""

from __future__ import annotations

import copy
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from models.networks.layers.trunk import Trunk, fuse


class FrozenBatchNorm(nn.BatchNorm2d):
    """BatchNorm that keeps its pretrained statistics also while training; scale and shift still learn.

    A batch here holds a hard category and two domains, so batch statistics would tell the network which batch it sees.
    """

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C, H, W), normalised by the stored mean and variance."""
        return nn.functional.batch_norm(
            x, self.running_mean, self.running_var, self.weight, self.bias, training=False, eps=self.eps
        )


class BasicBlock(nn.Module):
    """Two 3x3 convolutions and a shortcut."""

    def __init__(self, channels_in: int, channels: int, stride: int) -> None:
        """The shortcut is a 1x1 convolution where the shape changes."""
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels, 3, stride, padding=1, bias=False)
        self.bn1: nn.Module = FrozenBatchNorm(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2: nn.Module = FrozenBatchNorm(channels)
        self.downsample: nn.Sequential | None = None
        if stride != 1 or channels_in != channels:
            self.downsample = nn.Sequential(
                nn.Conv2d(channels_in, channels, 1, stride, bias=False), FrozenBatchNorm(channels)
            )

    def forward(self, x: Tensor) -> Tensor:
        """(B, Cin, H, W) -> (B, C, H/stride, W/stride)."""
        shortcut = x if self.downsample is None else self.downsample(x)
        x = torch.relu(self.bn1(self.conv1(x)))
        return torch.relu(self.bn2(self.conv2(x)) + shortcut)

    def fold_norms(self) -> None:
        """Fold the BatchNorms of all convolutions of the block, in place; call it in eval mode."""
        self.conv1, self.bn1 = fuse(self.conv1, self.bn1)
        self.conv2, self.bn2 = fuse(self.conv2, self.bn2)
        if self.downsample is not None:
            self.downsample = nn.Sequential(*fuse(*self.downsample))


class ResNetTrunk(Trunk):
    """Stem and the first stages of a ResNet-18; stride 4 after one stage, doubled by each further one."""

    def __init__(self, widths: tuple[int, ...] = (64, 128, 256)) -> None:
        """`widths`: channels of each stage that is kept."""
        super().__init__()
        self.map_widths = widths
        self.conv1 = nn.Conv2d(3, widths[0], 7, stride=2, padding=3, bias=False)
        self.bn1: nn.Module = FrozenBatchNorm(widths[0])
        self.stages: list[str] = []
        channels_in = widths[0]
        for number, width in enumerate(widths, start=1):
            stride = 1 if number == 1 else 2
            stage = nn.Sequential(BasicBlock(channels_in, width, stride), BasicBlock(width, width, 1))
            # torchvision's name, under which the published weights are found.
            self.add_module(f"layer{number}", stage)
            self.stages.append(f"layer{number}")
            channels_in = width
        self.channels_out = channels_in

    def load_published(self, state: Mapping[str, Tensor]) -> None:
        """Copy from torchvision's state dict of the whole classifier; see `Trunk.load_published`."""
        # Own names alone: the trunk has neither the classifier nor the later stages of the published network.
        self.load_state_dict({name: state[name] for name in self.state_dict()})

    def freeze(self, stages: int) -> None:
        """Exclude the stem and the first `stages` stages from training; 0 freezes nothing."""
        if stages:
            self.lowest(stages).requires_grad_(False)

    def lowest(self, stages: int) -> nn.ModuleList:
        """The stem and the first `stages` stages."""
        return nn.ModuleList([self.get_submodule(name) for name in ("conv1", "bn1", *self.stages[:stages])])

    def with_own(self, stages: int) -> ResNetTrunk:
        """A trunk with a stem and first `stages` stages of its own; everything above is shared with this one."""
        own = copy.deepcopy(self)
        for name in self.stages[stages:]:
            own.add_module(name, self.get_submodule(name))
        return own

    def fold_norms(self) -> None:
        """Fold the BatchNorms of stem and blocks, in place; see `Trunk.fold_norms`."""
        self.conv1, self.bn1 = fuse(self.conv1, self.bn1)
        for block in self.modules():
            if isinstance(block, BasicBlock):
                block.fold_norms()

    def features(self, x: Tensor) -> list[Tensor]:
        """(B, 3, H, W) normalised -> the map of each stage (B, C, H/s, W/s), the coarsest last."""
        x = torch.relu(self.bn1(self.conv1(x)))
        x = nn.functional.max_pool2d(x, 3, stride=2, padding=1)
        maps = []
        for name in self.stages:
            x = self.get_submodule(name)(x)
            maps.append(x)
        return maps
