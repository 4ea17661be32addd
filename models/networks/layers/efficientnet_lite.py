"""EfficientNet-Lite with the BatchNorms folded into the convolutions when published weights are loaded.

Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", ICML 2019. The Lite variants
(TensorFlow, 2020) drop squeeze-and-excitation and use ReLU6, so they export and quantise well.

A batch here holds two domains, and statistics of the batch would tell the network which one it sees. So the pretrained
statistics are kept, and a norm with kept statistics is a part of the convolution before it.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.networks.layers.trunk import Trunk

STEM_CHANNELS, HEAD_CHANNELS = 32, 1280
"""Of the stem's and the last convolution's output; the Lite variants scale neither."""

_EPS = 1e-3  # of the published networks' BatchNorms
# expansion, channels, blocks, stride of the first block, kernel
_STAGES = (
    (1, 16, 1, 1, 3),
    (6, 24, 2, 2, 3),
    (6, 40, 2, 2, 5),
    (6, 80, 3, 2, 3),
    (6, 112, 3, 1, 5),
    (6, 192, 4, 2, 5),
    (6, 320, 1, 1, 3),
)


class SameConv(nn.Module):
    """A convolution with a bias and TensorFlow's "same" padding; `relu6` clamps its output to [0, 6]."""

    def __init__(self, channels_in: int, channels: int, kernel: int, stride: int, groups: int, *, relu6: bool) -> None:
        """Random weights."""
        super().__init__()
        padding = kernel // 2 if stride == 1 else 0
        self.conv = nn.Conv2d(channels_in, channels, kernel, stride, padding=padding, groups=groups)
        self.relu6 = relu6

    def forward(self, x: Tensor) -> Tensor:
        """(B, Cin, H, W), H = W -> (B, C, ceil(H/s), ceil(W/s))."""
        stride = self.conv.stride[0]
        if stride > 1:
            # The odd pixel goes to the end: the published weights were trained so, and PyTorch pads both ends alike.
            side = x.shape[-1]
            missing = max((math.ceil(side / stride) - 1) * stride + self.conv.kernel_size[0] - side, 0)
            x = F.pad(x, (missing // 2, missing - missing // 2) * 2)
        x = self._convolved(x)
        return F.relu6(x) if self.relu6 else x

    def _convolved(self, x: Tensor) -> Tensor:
        # A CPU has fast bfloat16 kernels for 1x1 convolutions; its depthwise ones take several times as long as in
        # float32, and made a step slower than without autocast.
        if self.conv.kernel_size[0] > 1 and x.device.type == "cpu" and torch.is_autocast_enabled("cpu"):
            with torch.autocast("cpu", enabled=False):
                wide: Tensor = self.conv(x.float())
            return wide
        convolved: Tensor = self.conv(x)
        return convolved


class Block(nn.Module):
    """Inverted residual: expanded, filtered channel by channel, projected; a shortcut where the shape stays."""

    def __init__(self, channels_in: int, channels: int, expansion: int, stride: int, kernel: int) -> None:
        """`expansion`: times the input's channels in between; 1 leaves the expanding convolution out."""
        super().__init__()
        hidden = channels_in * expansion
        self.expand = SameConv(channels_in, hidden, 1, 1, 1, relu6=True) if expansion > 1 else None
        self.depthwise = SameConv(hidden, hidden, kernel, stride, hidden, relu6=True)
        self.project = SameConv(hidden, channels, 1, 1, 1, relu6=False)
        self.shortcut = stride == 1 and channels_in == channels

    def forward(self, x: Tensor) -> Tensor:
        """(B, Cin, H, W) -> (B, C, ceil(H/s), ceil(W/s))."""
        inner = x if self.expand is None else self.expand(x)
        changed: Tensor = self.project(self.depthwise(inner))
        return x + changed if self.shortcut else changed


class EfficientNetLite(Trunk):
    """The whole network up to its global pool: stem, seven stages of blocks, and the 1x1 convolution behind them."""

    def __init__(self, width: float = 1.0, depth: float = 1.1) -> None:
        """`width`, `depth`: multipliers of channels and of blocks per stage; the defaults are those of Lite1."""
        super().__init__()
        self.scale = (width, depth)
        self.stem = SameConv(3, STEM_CHANNELS, 3, 2, 1, relu6=True)
        self.widths = tuple(_rounded(stage[1] * width) for stage in _STAGES)
        blocks: list[Block] = []
        self._ends: list[int] = []
        channels_in = STEM_CHANNELS
        for number, (expansion, _, count, stride, kernel) in enumerate(_STAGES):
            # The first and the last stage keep their single block at any depth.
            repeated = count if number in (0, len(_STAGES) - 1) else math.ceil(count * depth)
            for place in range(repeated):
                blocks.append(Block(channels_in, self.widths[number], expansion, stride if place == 0 else 1, kernel))
                channels_in = self.widths[number]
            self._ends.append(len(blocks))
        self.blocks = nn.ModuleList(blocks)
        self.head = SameConv(channels_in, HEAD_CHANNELS, 1, 1, 1, relu6=True)
        self.channels_out = HEAD_CHANNELS

    @property
    def map_widths(self) -> tuple[int, ...]:
        """Channels of each map that `features` gives."""
        return (*self.widths, self.channels_out)

    def load_published(self, state: Mapping[str, Tensor]) -> None:
        """Copy a published state dict, its norms folded; see `Trunk.load_published`."""
        _load_folded(self.stem, state, "_conv_stem", "_bn0")
        for number, block in enumerate(self.blocks):
            assert isinstance(block, Block)
            parts = [(block.depthwise, "_depthwise_conv"), (block.project, "_project_conv")]
            if block.expand is not None:
                parts.insert(0, (block.expand, "_expand_conv"))
            for place, (part, conv) in enumerate(parts):
                # A block without expansion has no norm 0: its norms are called 1 and 2.
                norm = f"_bn{place + 3 - len(parts)}"
                _load_folded(part, state, f"_blocks.{number}.{conv}", f"_blocks.{number}.{norm}")
        _load_folded(self.head, state, "_conv_head", "_bn1")

    def freeze(self, stages: int) -> None:
        """Exclude the stem and the first `stages` stages from training; 0 freezes nothing."""
        if stages:
            self.lowest(stages).requires_grad_(False)

    def lowest(self, stages: int) -> nn.ModuleList:
        """The stem and the blocks of the first `stages` stages."""
        return nn.ModuleList([self.stem, *list(self.blocks)[: self._ends[stages - 1] if stages else 0]])

    def with_own(self, stages: int) -> EfficientNetLite:
        """A trunk with a stem and first `stages` stages of its own; everything above is shared with this one."""
        own = copy.deepcopy(self)
        count = self._ends[stages - 1] if stages else 0
        own.blocks = nn.ModuleList([*list(own.blocks)[:count], *list(self.blocks)[count:]])
        own.head = self.head
        return own

    def narrow_head(self, kept: Tensor) -> None:
        """Leave channels of the last convolution's output out, in place; `kept` (C,) bool: those that stay."""
        wide = self.head.conv
        self.head = SameConv(wide.in_channels, int(kept.sum()), 1, 1, 1, relu6=True)
        assert wide.bias is not None
        self.head.conv.load_state_dict({"weight": wide.weight[kept], "bias": wide.bias[kept]})
        self.channels_out = self.head.conv.out_channels

    def fold_norms(self) -> None:
        """There is nothing to fold: the norms are parts of the convolutions from the start."""

    def features(self, x: Tensor) -> list[Tensor]:
        """(B, 3, H, W) normalised, H = W -> the maps of the seven stages and of the last convolution.

        Their sides are those of the image divided by 2, 4, 8, 16, 16, 32, 32 and 32, rounded up.
        """
        x = self.stem(x)
        maps = []
        for number, block in enumerate(self.blocks, start=1):
            x = block(x)
            if number in self._ends:
                maps.append(x)
        return [*maps, self.head(x)]


def _rounded(channels: float) -> int:
    """The multiple of 8 nearest to a number of channels, at most 10 % below it."""
    near = max(8, int(channels + 4) // 8 * 8)
    return near + 8 if near < 0.9 * channels else near


def _load_folded(part: SameConv, state: Mapping[str, Tensor], name: str, norm: str) -> None:
    scale = state[f"{norm}.weight"] * torch.rsqrt(state[f"{norm}.running_var"] + _EPS)
    bias = state[f"{norm}.bias"] - state[f"{norm}.running_mean"] * scale
    part.conv.load_state_dict({"weight": state[f"{name}.weight"] * scale[:, None, None, None], "bias": bias})
