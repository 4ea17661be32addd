"""A plain vision transformer with timm's key names, and the hybrid whose tokens are cells of a CNN's feature map.

Dosovitskiy et al., "An Image is Worth 16x16 Words", ICLR 2021.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from models.errors import InkseekError
from models.networks.layers.attention import NORM_EPS, Block
from models.networks.layers.patch_embed import HybridEmbed, PatchEmbed, resize_positions
from models.networks.layers.resnet import ResNetTrunk

_NOT_OURS = ("head.", "head_dist.", "pre_logits.", "fc_norm.")  # of published classifiers; an encoder has none


class PublishedWeightsUnfit(InkseekError):
    """A published state dict is of another architecture or width."""


@dataclass(frozen=True)
class VitConfig:
    """`size_px`: input side. `dim`, `depth`, `heads`, `mlp_ratio`: of the transformer; its defaults are ViT-B/16.

    `patch_px`: side of a patch. `widths`: channels of a CNN's stages; where given, tokens are that CNN's feature map
    pooled to `grid` x `grid`, and `patch_px` has no meaning.
    """

    size_px: int = 224
    dim: int = 768
    depth: int = 12
    heads: int = 12
    mlp_ratio: float = 4.0
    patch_px: int = 16
    widths: tuple[int, ...] = ()
    grid: int = 10


class Vit(nn.Module):
    """Images to tokens: CLS first, then the cells row by row, all after the final norm."""

    def __init__(self, config: VitConfig) -> None:
        """Random weights; see `load_published`."""
        super().__init__()
        self.config = config
        dim = config.dim
        self.patch_embed: PatchEmbed | HybridEmbed
        if config.widths:
            self.patch_embed = HybridEmbed(ResNetTrunk(config.widths), config.grid, dim)
        else:
            self.patch_embed = PatchEmbed(config.size_px, config.patch_px, dim)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, dim))
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + self.patch_embed.grid**2, dim))
        self.blocks = nn.ModuleList(Block(dim, config.heads, config.mlp_ratio) for _ in range(config.depth))
        self.norm = nn.LayerNorm(dim, eps=NORM_EPS)
        self._reset()

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) normalised -> (B, 1 + N, D); positions are interpolated where H, W are not the built size."""
        tokens = self._embedded(images)
        for block in self.blocks:
            tokens = block(tokens)
        normed: Tensor = self.norm(tokens)
        return normed

    def attention(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) normalised -> (B, heads, h, w) in [0, 1]: what the CLS reads of each cell in the last block."""
        return self.attended(images)[1]

    def attended(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 3, H, W) normalised -> tokens (B, 1 + N, D) as `forward` gives them, and what `attention` gives."""
        tokens = self._embedded(images)
        *earlier, last = [block for block in self.blocks if isinstance(block, Block)]
        for block in earlier:
            tokens = block(tokens)
        # A pre-norm block attends to normed tokens, so the weights are taken of those.
        weights = last.attn.cls_weights(last.norm1(tokens))
        normed: Tensor = self.norm(last(tokens))
        return normed, token_map(weights.transpose(1, 2))

    def _embedded(self, images: Tensor) -> Tensor:
        cells = self.patch_embed(images)  # (B, D, h, w)
        positions = resize_positions(self.pos_embed, *cells.shape[-2:])
        cls = self.cls_token.expand(cells.shape[0], -1, -1)  # len() would fix the batch size when exported
        return torch.cat([cls, cells.flatten(2).transpose(1, 2)], dim=1) + positions

    def load_published(self, state: Mapping[str, Tensor]) -> None:
        """Take over a published state dict with timm's names; classifier heads are left out, positions resized.

        Raises PublishedWeightsUnfit.
        """
        kept = {name: value for name, value in state.items() if not name.startswith(_NOT_OURS)}
        if "pos_embed" in kept and kept["pos_embed"].shape[-1] == self.config.dim:
            kept["pos_embed"] = resize_positions(kept["pos_embed"], self.patch_embed.grid, self.patch_embed.grid)
        try:
            self.load_state_dict(kept)
        except RuntimeError as error:
            raise PublishedWeightsUnfit(f"the published weights do not fit this transformer: {error}") from error

    def _reset(self) -> None:
        # timm's deviations, here and below.
        nn.init.trunc_normal_(self.pos_embed, std=0.02)
        nn.init.normal_(self.cls_token, std=1e-6)
        for block in self.blocks.modules():
            if isinstance(block, nn.Linear):
                nn.init.trunc_normal_(block.weight, std=0.02)
                nn.init.zeros_(block.bias)


def token_map(tokens: Tensor) -> Tensor:
    """(B, 1 + n * n, D) -> (B, D, n, n): the cells where they lie, without the CLS."""
    side = round((tokens.shape[1] - 1) ** 0.5)
    return tokens[:, 1:].transpose(1, 2).reshape(tokens.shape[0], -1, side, side)
