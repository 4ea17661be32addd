"""The optimiser of a plan: groups of parameters, each at its own base rate."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import nn

from models.training.engine.config import TrainingPlan
from models.training.engine.schedule import rate_factor


@dataclass(frozen=True)
class RateGroup:
    """Parameters that learn at `rate`, before the schedule. `weight_decay`: None is the plan's."""

    parameters: Sequence[nn.Parameter]
    rate: float
    weight_decay: float | None = None


def split_rates(module: nn.Module, pretrained: Iterable[nn.Module], plan: TrainingPlan) -> tuple[RateGroup, ...]:
    """The learning parameters of `pretrained` parts at the plan's `rate`, all others of the module at `new_rate`."""
    # By identity, because == on tensors compares their elements.
    old = {id(parameter) for part in pretrained for parameter in part.parameters()}
    learning = [parameter for parameter in module.parameters() if parameter.requires_grad]
    return (
        RateGroup([p for p in learning if id(p) in old], plan.rate),
        RateGroup([p for p in learning if id(p) not in old], plan.rate if plan.new_rate is None else plan.new_rate),
    )


def build_optimiser(groups: Iterable[RateGroup], plan: TrainingPlan) -> torch.optim.Optimizer:
    """Adam or AdamW over the groups that have parameters; `set_rates` gives each its rate."""
    # `lr` is overwritten at every step, so the rate before the schedule is kept beside it, in the optimiser's state.
    tables = [
        {
            "params": list(group.parameters),
            "base_rate": group.rate,
            "weight_decay": plan.weight_decay if group.weight_decay is None else group.weight_decay,
        }
        for group in groups
        if group.parameters
    ]
    kind = torch.optim.Adam if plan.optimiser == "adam" else torch.optim.AdamW
    return kind(tables, lr=plan.rate, weight_decay=plan.weight_decay)


def set_rates(optimiser: torch.optim.Optimizer, plan: TrainingPlan, step: int) -> None:
    """Give every group its rate at `step`, from 0: base rate times schedule times decay per step."""
    factor = rate_factor(step, round(plan.steps * plan.span), plan.warmup_steps, plan.decay_share, plan.decay)
    for group in optimiser.param_groups:
        group["lr"] = group["base_rate"] * factor * plan.decay_per_step**step
