"""An exponential moving average of weights, which is what gets evaluated and published."""

from __future__ import annotations

import torch
from torch import nn


@torch.no_grad()
def move_average(averaged: nn.Module, module: nn.Module, decay: float, step: int) -> None:
    """averaged = d * averaged + (1 - d) * module in place, statistics too, d = min(decay, (step + 1) / (step + 10)).

    The smaller d of the first steps lets a young average forget its random start. Whole numbers and `decay` 0 copy.
    What two encoders share has two names and moves once.
    """
    decay = min(decay, (step + 1) / (step + 10))
    moved: set[int] = set()
    # With keep_vars a shared tensor is the same object under each of its names.
    for mean, now in zip(averaged.state_dict(keep_vars=True).values(), module.state_dict().values(), strict=True):
        if id(mean) in moved:
            continue
        moved.add(id(mean))
        if mean.is_floating_point():
            mean.lerp_(now, 1 - decay)
        else:
            mean.copy_(now)
