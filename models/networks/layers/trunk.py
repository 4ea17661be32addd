"""What every CNN trunk offers: feature maps by stage, published weights, frozen stages, folded norms."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval


class Trunk(nn.Module, ABC):
    """The first stages of a CNN classifier, without its global pool: features still say where something is."""

    channels_out: int

    @abstractmethod
    def features(self, x: Tensor) -> list[Tensor]:
        """(B, 3, H, W) normalised -> the map of each stage (B, C, H/s, W/s), the coarsest last."""

    @abstractmethod
    def load_published(self, state: Mapping[str, Tensor]) -> None:
        """Copy the trunk's part out of a published state dict of the whole classifier. Raises KeyError, RuntimeError.

        KeyError: a name is missing; RuntimeError: a tensor has another shape.
        """

    @abstractmethod
    def freeze(self, stages: int) -> None:
        """Exclude the stem and the first `stages` stages from training; 0 freezes nothing."""

    @abstractmethod
    def fold_norms(self) -> None:
        """Fold every BatchNorm into the convolution before it, in place; call it in eval mode."""

    def forward(self, x: Tensor) -> Tensor:
        """(B, 3, H, W) normalised -> the map of the last stage (B, C, H/s, W/s)."""
        return self.features(x)[-1]


def fuse(conv: nn.Module, norm: nn.Module) -> tuple[nn.Conv2d, nn.Module]:
    """A convolution and the BatchNorm behind it -> one convolution that computes both, and an identity."""
    assert isinstance(conv, nn.Conv2d)
    assert isinstance(norm, nn.BatchNorm2d)
    return fuse_conv_bn_eval(conv, norm), nn.Identity()
