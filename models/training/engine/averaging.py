"""A running average of weights, which is what gets evaluated and published."""

from __future__ import annotations

import torch
from torch import nn


@torch.no_grad()
def move_average(averaged: nn.Module, module: nn.Module, decay: float, step: int) -> None:
    """Move `averaged` towards `module`, statistics too; young averages forget faster. `decay` 0 copies."""
    decay = min(decay, (step + 1) / (step + 10))
    for mean, now in zip(averaged.state_dict().values(), module.state_dict().values(), strict=True):
        if mean.is_floating_point():
            mean.lerp_(now, 1 - decay)
        else:
            mean.copy_(now)
