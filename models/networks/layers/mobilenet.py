"""MobileNetV2 up to stride 16, with torchvision's key names so that published weights load as they are.

Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", CVPR 2018. It stops where features still say
*where* something is, as `ResNetTrunk` does, at about a quarter of that one's cost.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from models.networks.layers.resnet import FrozenBatchNorm
from models.networks.layers.trunk import Trunk, fuse

_STEM = 32
_STAGES = ((1, 1, 1), (6, 2, 2), (6, 3, 2), (6, 4, 2), (6, 3, 1))  # expansion, blocks, stride of the first


class InvertedResidual(nn.Module):
    """Wider, filtered channel by channel, narrower; a shortcut where the shape stays."""

    def __init__(self, channels_in: int, channels: int, stride: int, expansion: int) -> None:
        """`expansion`: times the input's channels in between; 1 leaves the widening out."""
        super().__init__()
        hidden = channels_in * expansion
        widened = [_filtered(channels_in, hidden, kernel=1)] if expansion > 1 else []
        self.conv = nn.Sequential(
            *widened,
            _filtered(hidden, hidden, kernel=3, stride=stride, groups=hidden),
            nn.Conv2d(hidden, channels, 1, bias=False),
            FrozenBatchNorm(channels),
        )
        self.shortcut = stride == 1 and channels_in == channels

    def forward(self, x: Tensor) -> Tensor:
        """(B, Cin, H, W) -> (B, C, H/stride, W/stride)."""
        changed: Tensor = self.conv(x)
        return x + changed if self.shortcut else changed


class MobileNetTrunk(Trunk):
    """Stem and the first stages of a MobileNetV2; stride 16 after four stages or five."""

    def __init__(self, widths: tuple[int, ...] = (16, 24, 32, 64, 96)) -> None:
        """`widths`: channels of each stage that is kept, at most five; the last two have the same stride."""
        super().__init__()
        blocks: list[nn.Module] = [_filtered(3, _STEM, kernel=3, stride=2)]
        self._ends: list[int] = []
        channels_in = _STEM
        # Not strict: fewer widths than there are stages keep the first stages alone.
        for width, (expansion, count, stride) in zip(widths, _STAGES, strict=False):
            for number in range(count):
                blocks.append(InvertedResidual(channels_in, width, stride if number == 0 else 1, expansion))
                channels_in = width
            self._ends.append(len(blocks))
        self.blocks = nn.Sequential(*blocks)
        self.channels_out = channels_in

    def load_published(self, state: Mapping[str, Tensor]) -> None:
        """Copy from torchvision's state dict of the whole classifier; see `Trunk.load_published`."""
        self.load_state_dict({name: state[f"features.{name.removeprefix('blocks.')}"] for name in self.state_dict()})

    def freeze(self, stages: int) -> None:
        """Exclude the stem and the first `stages` stages from training; 0 freezes nothing."""
        if stages:
            for block in list(self.blocks)[: self._ends[stages - 1]]:
                block.requires_grad_(False)

    def fold_norms(self) -> None:
        """Fold each BatchNorm that follows a convolution, in place; see `Trunk.fold_norms`."""
        # Folding replaces modules, so the chains are listed before the first one is touched.
        for chain in [part for part in self.modules() if isinstance(part, nn.Sequential)]:
            for number in range(1, len(chain)):
                if isinstance(chain[number], nn.BatchNorm2d):
                    chain[number - 1], chain[number] = fuse(chain[number - 1], chain[number])

    def features(self, x: Tensor) -> list[Tensor]:
        """(B, 3, H, W) normalised -> the map of each stage (B, C, H/s, W/s), the coarsest last."""
        maps = []
        for number, block in enumerate(self.blocks, start=1):
            x = block(x)
            if number in self._ends:
                maps.append(x)
        return maps


def _filtered(channels_in: int, channels: int, *, kernel: int, stride: int = 1, groups: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels_in, channels, kernel, stride, padding=kernel // 2, groups=groups, bias=False),
        FrozenBatchNorm(channels),
        nn.ReLU6(),
    )
