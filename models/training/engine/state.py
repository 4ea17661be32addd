"""`checkpoint.pt`: the state of a run after some step, enough to resume as if nothing had happened.

Batches, views and second sketches are functions of seed and step, so no random state has to be kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from models.atomic_files import replace_file
from models.errors import InkseekError


class CheckpointInvalid(InkseekError):
    """A file with weights or a run's state cannot be read or belongs to another experiment."""


@dataclass(frozen=True)
class RunState:
    """After `step` steps. `memory`: the task's own state besides weights, tensors and plain values.

    `best`: the highest validation score, reached at `best_step`; `stale`: evaluations since.
    """

    step: int
    module: dict[str, Any]
    averaged: dict[str, Any]
    optimiser: dict[str, Any]
    memory: dict[str, Any]
    best: float
    best_step: int
    stale: int

    def save(self, path: Path) -> None:
        """Replace the file at `path` atomically; a kill leaves the old one."""
        save_tensors(path, self.__dict__)

    @classmethod
    def load(cls, path: Path) -> RunState:
        """Read a file that `save` wrote. Raises CheckpointInvalid."""
        values = load_tensors(path)
        try:
            return cls(**values)
        except TypeError as error:
            raise CheckpointInvalid(f"{path} is no state of a run: {error}") from error


def save_tensors(path: Path, values: dict[str, Any]) -> None:
    """Write tensors and plain values atomically. Raises OSError."""
    replace_file(path, lambda file: torch.save(values, file))


def load_tensors(path: Path) -> dict[str, Any]:
    """Read named tensors and plain values onto the CPU; nothing else is unpickled. Raises CheckpointInvalid."""
    if not path.exists():
        raise CheckpointInvalid(f"{path} does not exist")
    if path.is_dir():
        there = ", ".join(sorted(file.name for file in path.glob("*.pt"))) or "none"
        raise CheckpointInvalid(f"{path} is a directory, not a file of weights; such files in it: {there}")
    try:
        values = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise CheckpointInvalid(f"{path} cannot be read: {error}") from error
    # torch.load fails with errors of pickle, zipfile or its own, by where the file is broken, and with essays as text.
    except Exception as error:
        raise CheckpointInvalid(f"{path} cannot be read: it is damaged, or no file of weights") from error
    if not isinstance(values, dict):
        raise CheckpointInvalid(f"{path} holds no named values")
    return values
