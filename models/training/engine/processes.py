"""The processes of a run: one on a CPU or GPU, or several, each with its rank and device.

`accelerate` would bring the same process start and gradients that are averaged; here the loss looks at the whole batch
(negatives, relations of all triples, the heads' statistics), so what has to be shared are the cells, and
`models.training.engine.distributed` does that such that any number of processes computes what one would.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
import torch.distributed as dist
from torch import nn
from torch.multiprocessing.spawn import spawn

from models.errors import InkseekError

DEVICES = ("auto", "cpu", "cuda")


class DeviceUnavailable(InkseekError):
    """The requested device is not there, or there are fewer of it than processes."""


@dataclass(frozen=True)
class Process:
    """Process number `rank` of `world_size`, from 0, and its device."""

    rank: int = 0
    world_size: int = 1
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    @property
    def is_main(self) -> bool:
        """Whether this process is the one that writes files."""
        return self.rank == 0

    def autocast(self, enabled: bool) -> torch.autocast:
        """A context in which operations that tolerate it compute in bfloat16."""
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=enabled)


def to_device(module: nn.Module, process: Process) -> None:
    """Move a module to the process's device, its image tensors with channels last, in place."""
    module.to(process.device).to(memory_format=torch.channels_last)  # type: ignore[call-overload] # not in torch's stubs


def launch(work: Callable[[Process], None], *, processes: int = 1, threads: int = 1, device: str = "auto") -> None:
    """Call `work` in each of `processes` processes and wait for all; `work` must be picklable where there are several.

    `device`: auto takes CUDA where it is there. On a CPU, `threads` threads each. Raises DeviceUnavailable.
    """
    kind = available_device(device, processes)
    if processes == 1:
        _configure(kind, 0, threads)
        try:
            work(Process(0, 1, torch.device(kind)))
        except torch.OutOfMemoryError as error:
            raise DeviceUnavailable(f"the memory of the {kind} device is full: train with fewer batch.pairs") from error
        return
    with tempfile.TemporaryDirectory() as folder:
        # Meeting at a file needs no free port, so runs beside each other on one machine cannot collide.
        arguments = (work, processes, threads, kind, f"file://{folder}/rendezvous")
        spawn(_run_rank, args=arguments, nprocs=processes)  # type: ignore[no-untyped-call]


def available_device(device: str, processes: int = 1) -> str:
    """`auto`, `cpu` or `cuda` -> the kind of device that a run of so many processes gets. Raises DeviceUnavailable."""
    if device not in DEVICES:
        raise DeviceUnavailable(
            f"no device is called {device!r}; there are {', '.join(DEVICES)} (CUDA_VISIBLE_DEVICES chooses among GPUs)"
        )
    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    kind = ("cuda" if gpus else "cpu") if device == "auto" else device
    if kind == "cuda" and not gpus:
        built = (
            f"torch {torch.__version__} is built for CUDA {torch.version.cuda}"
            if torch.version.cuda
            else (f"torch {torch.__version__} is built for CPUs alone")
        )
        raise DeviceUnavailable(f"there is no CUDA GPU here ({built}); --device cpu trains without one")
    if kind == "cuda" and gpus < processes:
        raise DeviceUnavailable(f"{processes} processes need as many GPUs; there are {gpus}")
    return kind


def _run_rank(
    rank: int, work: Callable[[Process], None], processes: int, threads: int, kind: str, rendezvous: str
) -> None:
    _configure(kind, rank, threads)
    dist.init_process_group(
        "nccl" if kind == "cuda" else "gloo", init_method=rendezvous, rank=rank, world_size=processes
    )
    try:
        work(Process(rank, processes, torch.device(kind, rank) if kind == "cuda" else torch.device(kind)))
        dist.barrier()
    finally:
        dist.destroy_process_group()
    # Everything is written. As the interpreter is taken down, Gloo's threads now and then abort the process
    # (pytorch/pytorch#190489 and #179291), and a run that had succeeded would count as failed.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _configure(kind: str, rank: int, threads: int) -> None:
    torch.set_num_threads(threads)
    if kind == "cuda":
        torch.cuda.set_device(rank)
        # Fixed algorithms: a resumed run has to give the numbers of an uninterrupted one. On an H200 they cost nothing:
        # forward and backward take 39.6 ms against 40.0 (ResNet-18, 512 images), 58.0 against 57.9 (Lite1, 680).
        torch.backends.cudnn.benchmark = False
        torch.backends.cudnn.deterministic = True
