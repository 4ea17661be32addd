"""What the table holds of a loss: its name, what it needs, its options, and the call that all losses share."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

import torch
from pydantic import BaseModel, ConfigDict
from torch import Tensor

from models.losses.inputs import LossInputs, Need


@dataclass(frozen=True)
class Terms:
    """What every loss returns: the scalar `total`, which carries the gradient. Subclasses add scalars to look at."""

    total: Tensor

    def named(self, name: str) -> dict[str, Tensor]:
        """`total` under the given name, everything else under NAME/FIELD and without its gradient."""
        # A scalar that waits to be logged must not keep the graph of its step in memory.
        extras = {f"{name}/{key}": value.detach() for key, value in vars(self).items() if key != "total"}
        return {name: self.total, **extras}


@dataclass(frozen=True)
class ModalityTerms(Terms):
    """A total that is the sum of a sketch student's and a photo student's terms."""

    sketches: Tensor
    photos: Tensor

    @classmethod
    def sum_of(cls, sketches: Terms, photos: Terms) -> ModalityTerms:
        """Both totals and their sum."""
        return cls(sketches.total + photos.total, sketches.total, photos.total)


def summed(terms: Iterable[Terms]) -> Terms:
    """The totals of several terms, added up."""
    return Terms(torch.stack([each.total for each in terms]).sum())


class LossOptions(BaseModel):
    """The settings of a loss; a loss with settings subclasses it."""

    model_config = ConfigDict(frozen=True, extra="forbid")


Options = TypeVar("Options", bound=LossOptions)


@dataclass(frozen=True)
class Loss(Generic[Options]):
    """`compute`: inputs and options -> terms. `needs`: which optional fields of the inputs it reads."""

    name: str
    options: type[Options]
    compute: Callable[[LossInputs, Options], Terms]
    needs: frozenset[Need] = frozenset()
