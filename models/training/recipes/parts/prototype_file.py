"""`prototypes.pt`: the prototypes of kinds by name, which a further run with other kinds may start from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from models.networks.prototypes import Prototypes
from models.training.engine.state import CheckpointInvalid, load_tensors, save_tensors

PROTOTYPES_NAME = "prototypes.pt"


@dataclass(frozen=True)
class PrototypeFile:
    """`kinds` (K,): names; `free` (K, dim): the vector of each; `of_words` (dim, W): the map of all names' words."""

    kinds: tuple[str, ...]
    free: Tensor
    of_words: Tensor

    @classmethod
    def of(cls, prototypes: Prototypes, kinds: Sequence[str]) -> PrototypeFile:
        """What is to be saved."""
        return cls(tuple(kinds), prototypes.free.detach().cpu(), prototypes.of_words.weight.detach().cpu())

    def save(self, path: Path) -> None:
        """Replace the file at `path` atomically."""
        save_tensors(path, {"kinds": list(self.kinds), "free": self.free, "of_words": self.of_words})

    @classmethod
    def load(cls, path: Path) -> PrototypeFile:
        """Read a file. Raises CheckpointInvalid."""
        values = load_tensors(path)
        try:
            return cls(tuple(values["kinds"]), values["free"], values["of_words"])
        except KeyError as error:
            raise CheckpointInvalid(f"{path} holds no prototypes: {error} is missing") from error

    @torch.no_grad()
    def start(self, prototypes: Prototypes, kinds: Sequence[str]) -> None:
        """Give the kinds of the same name their vectors, and all the map of words. Raises CheckpointInvalid."""
        same = self.of_words.shape == prototypes.of_words.weight.shape
        if not same or self.free.shape[1:] != prototypes.free.shape[1:]:
            raise CheckpointInvalid("the prototypes to start from have another length than those to train")
        place = {kind: row for row, kind in enumerate(self.kinds)}
        for row, kind in enumerate(kinds):
            if kind in place:
                prototypes.free[row] = self.free[place[kind]]
        prototypes.of_words.weight.copy_(self.of_words)
