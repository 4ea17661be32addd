"""Checkpoints: whole or not at all, and enough in them to go on as if nothing had happened."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from models.errors import InkseekError


class CheckpointInvalid(InkseekError):
    """A checkpoint cannot be read or belongs to another experiment."""


@dataclass(frozen=True)
class Checkpoint:
    """State after `step` steps. `experiment` is the configuration that made it, as plain values.

    Batches and augmentation are functions of the seed and the step, so no random state has to be kept.
    """

    step: int
    students: dict[str, Any]
    averaged: dict[str, Any]
    optimiser: dict[str, Any]
    experiment: dict[str, Any]

    def save(self, path: Path) -> None:
        """Write beside `path`, then replace it: a kill leaves the old checkpoint."""
        staged = path.with_suffix(".partial")
        with staged.open("wb") as file:
            torch.save(self.__dict__, file)
            file.flush()
            os.fsync(file.fileno())
        staged.replace(path)

    @classmethod
    def load(cls, path: Path) -> Checkpoint:
        """Read a checkpoint; nothing but tensors and plain values is unpickled. Raises CheckpointInvalid."""
        try:
            return cls(**torch.load(path, map_location="cpu", weights_only=True))
        except Exception as error:
            raise CheckpointInvalid(f"{path} is no checkpoint of this product: {error}") from error
