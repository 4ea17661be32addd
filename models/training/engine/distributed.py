"""Several training processes that compute exactly what one would.

Each passes its share of the batch through the trunk. The cells of all are then gathered, so that the head's statistics
and the loss see the whole batch in every process; the trunk's gradients are summed. On a busy CPU, processes of one
thread each train far faster than one process of many threads.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn

from models.training.engine.processes import Process

T = TypeVar("T")


def share_of(count: int, process: Process) -> slice:
    """The rows of a batch of `count` that belong to the process; `count` must be a multiple of the world size."""
    share = count // process.world_size
    return slice(process.rank * share, (process.rank + 1) * share)


def gather_rows(own: Tensor, process: Process) -> Tensor:
    """(B / world, ...) of each process -> (B, ...), of which only this process's rows carry gradients."""
    if process.world_size == 1:
        return own
    parts = [torch.empty_like(own) for _ in range(process.world_size)]
    dist.all_gather(parts, own.detach().contiguous())
    # all_gather cuts the graph; putting the own rows back lets them carry their gradient.
    parts[process.rank] = own
    return torch.cat(parts)


def gather_objects(own: T, process: Process) -> Sequence[T]:
    """A picklable value of each process, by rank."""
    if process.world_size == 1:
        return [own]
    everyone: list[T] = [own] * process.world_size
    dist.all_gather_object(everyone, own)
    return everyone


def sum_gradients(trunks: Iterable[nn.Module], heads: Iterable[nn.Parameter], process: Process) -> None:
    """Make every process hold the gradient of the whole batch's loss.

    A trunk's gradient comes from the process's own rows: summed. Heads saw all rows in each process: averaged, which
    changes nothing but keeps rounding from pulling the processes apart.
    """
    if process.world_size == 1:
        return
    gradients = [p.grad for trunk in trunks for p in trunk.parameters() if p.grad is not None]
    for parameter in heads:
        if parameter.grad is not None:
            parameter.grad /= process.world_size
            gradients.append(parameter.grad)
    # One exchange of everything, since each call costs the processes a rendezvous however small its tensor is.
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    dist.all_reduce(flat)
    start = 0
    for gradient in gradients:
        gradient.copy_(flat[start : start + gradient.numel()].view_as(gradient))
        start += gradient.numel()
