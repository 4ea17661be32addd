"""A weighted sum of losses, as an experiment file names them.

    [student_training.losses]
    info_nce = 0.5                                              # a weight alone
    triplet = { weight = 1.0, margin = 0.2 }                    # with options of the loss
    grid_contrast = { loss = "info_nce", part = "grid", weight = 1.0 }   # on a named part of the embedding

A weight of 0 switches a term off, and with it what it needs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

import torch
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from torch import Tensor

from models.losses.inputs import LossInputs, Need
from models.losses.loss import Loss, Terms
from models.losses.table import LOSSES


class LossTerm(BaseModel):
    """`loss`: a name of the table. `part`: a named part of the embedding that it looks at, None: all of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    loss: str
    weight: float = Field(ge=0)
    part: str | None = None
    options: dict[str, Any] = {}

    def compute(self, inputs: LossInputs, table: Mapping[str, Loss[Any]]) -> Terms:
        """The loss of a batch, unweighted; `table`: where it stands."""
        loss = table[self.loss]
        return loss.compute(inputs if self.part is None else inputs.part(self.part), loss.options(**self.options))


def _expanded(terms: Any) -> Any:
    """Weights alone become terms, options are checked and their defaults written out."""
    if not isinstance(terms, Mapping):
        return terms
    return {name: _term(name, value) for name, value in terms.items()}


def _term(name: str, value: Any) -> Any:
    if isinstance(value, LossTerm):
        return value
    values = dict(value) if isinstance(value, Mapping) else {"weight": value}
    chosen = values.get("loss", name)
    if chosen not in LOSSES:
        raise ValueError(f"there is no loss {chosen!r}; there are {', '.join(sorted(LOSSES))}")
    known = {key: values.pop(key) for key in ("weight", "part") if key in values}
    options = {key: option for key, option in values.items() if key not in ("loss", "options")}
    # An experiment file writes options beside the weight; a dumped `LossTerm` holds them under `options`.
    options |= values.get("options", {})
    return {"loss": chosen, **known, "options": LOSSES[chosen].options.model_validate(options).model_dump()}


def loss_terms(**terms: float | Mapping[str, Any]) -> dict[str, LossTerm]:
    """Terms by name, each given as in an experiment file. Raises ValueError (pydantic's) for a wrong one."""
    return {name: LossTerm.model_validate(_term(name, value)) for name, value in terms.items()}


LossTerms = Annotated[dict[str, LossTerm], BeforeValidator(_expanded), Field(min_length=1)]
"""For pydantic: the table of an experiment file, by the names under which the terms are logged."""


@dataclass(frozen=True)
class Objective:
    """The terms that have a weight, of the losses of a table; calling it gives the named scalars of a batch."""

    terms: Mapping[str, LossTerm]
    table: Mapping[str, Loss[Any]] = field(default_factory=lambda: LOSSES)

    @classmethod
    def of(cls, terms: Mapping[str, LossTerm]) -> Objective:
        """Without the terms whose weight is 0."""
        return cls({name: term for name, term in terms.items() if term.weight})

    @property
    def needs(self) -> frozenset[Need]:
        """What its losses read beside the embeddings of the pairs."""
        return frozenset(need for term in self.terms.values() for need in self.table[term.loss].needs)

    def needing(self, needs: frozenset[Need]) -> tuple[str, ...]:
        """The terms whose loss reads any of these."""
        return tuple(name for name, term in self.terms.items() if self.table[term.loss].needs & needs)

    def __call__(self, inputs: LossInputs) -> dict[str, Tensor]:
        """Every term by its name, unweighted, what it reports beside it, and the weighted `total`; scalars."""
        values: dict[str, Tensor] = {}
        for name, term in self.terms.items():
            values |= term.compute(inputs, self.table).named(name)
        weighted = [term.weight * values[name] for name, term in self.terms.items()]
        return {**values, "total": torch.stack(weighted).sum()}
