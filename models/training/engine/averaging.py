"""An exponential moving average of weights, which is what gets evaluated and published."""

from __future__ import annotations

import torch
from torch import Tensor, nn


@torch.no_grad()
def move_average(averaged: nn.Module, module: nn.Module, decay: float, step: int) -> None:
    """averaged = d * averaged + (1 - d) * module in place, statistics too, d = min(decay, (step + 1) / (step + 10)).

    The smaller d of the first steps lets a young average forget its random start. Whole numbers and `decay` 0 copy.
    What two encoders share has two names and moves once.
    """
    decay = min(decay, (step + 1) / (step + 10))
    moved: set[int] = set()
    means: list[Tensor] = []
    nows: list[Tensor] = []
    # With keep_vars a shared tensor is the same object under each of its names.
    for mean, now in zip(averaged.state_dict(keep_vars=True).values(), module.state_dict().values(), strict=True):
        if id(mean) in moved:
            continue
        moved.add(id(mean))
        if mean.is_floating_point():
            means.append(mean)
            nows.append(now)
        else:
            mean.copy_(now)
    # All at once, as torch's own averages do it: a GPU would wait for one kernel after the other to be started.
    if means:
        torch._foreach_lerp_(means, nows, 1 - decay)
