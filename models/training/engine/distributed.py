"""Several training processes that compute exactly what one would.

Each passes its share of the batch through the trunk. The cells of all are then gathered, so that the head's statistics
and the loss see the whole batch in every process; the trunk's gradients are summed. On a busy CPU, processes of one
thread each train far faster than one process of many threads.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
import torch.distributed as dist
from torch import Tensor, nn


def rank_slice(count: int, rank: int, world: int) -> slice:
    """The rows of a batch of `count` that belong to `rank`; `count` must be a multiple of `world`."""
    share = count // world
    return slice(rank * share, (rank + 1) * share)


def gather_cells(own: Tensor, rank: int, world: int) -> Tensor:
    """(B / world, ...) of each process -> (B, ...), of which only this process's rows carry gradients."""
    if world == 1:
        return own
    parts = [torch.empty_like(own) for _ in range(world)]
    dist.all_gather(parts, own.detach().contiguous())
    parts[rank] = own
    return torch.cat(parts)


def sum_gradients(trunks: Iterable[nn.Module], heads: Iterable[nn.Parameter], world: int) -> None:
    """Make every process hold the gradient of the whole batch's loss.

    A trunk's gradient comes from the process's own rows: summed. Heads saw all rows in each process: averaged, which
    changes nothing but keeps rounding from pulling the processes apart.
    """
    if world == 1:
        return
    gradients = [p.grad for trunk in trunks for p in trunk.parameters() if p.grad is not None]
    for parameter in heads:
        if parameter.grad is not None:
            parameter.grad /= world
            gradients.append(parameter.grad)
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    dist.all_reduce(flat)
    start = 0
    for gradient in gradients:
        gradient.copy_(flat[start : start + gradient.numel()].view_as(gradient))
        start += gradient.numel()
