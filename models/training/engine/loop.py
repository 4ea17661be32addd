"""The training loop that teacher and students share. Read `fit` top to bottom.

Killed at any point, the same call goes on from the last checkpoint, with the result of an uninterrupted run.
"""

from __future__ import annotations

import copy
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch
from rich.console import Console
from rich.progress import Progress
from torch import Tensor, nn

from models.losses.queue_contrast import KeyQueue
from models.networks.layers.trunk import Trunk
from models.training.engine.averaging import move_average
from models.training.engine.pair_batches import PairBatch, PairBatches
from models.training.engine.placement import Place
from models.training.engine.run_directory import Metrics, RunDirectory
from models.training.engine.schedule import rate_factor
from models.training.engine.state import RunState
from models.training.recipes.xmodalvit.config import TrainingPlan

_LOG_EVERY = 20


@dataclass(frozen=True)
class Verdict:
    """Of an evaluation: named `figures`, and the `score` that early stopping watches, higher is better."""

    figures: dict[str, float]
    score: float


class Task(Protocol):
    """What is trained and against what. `queues` are state that the loop saves and restores."""

    module: nn.Module
    queues: dict[str, KeyQueue]

    def losses(self, batch: PairBatch) -> dict[str, Tensor]:
        """Named scalars; `total` carries the gradient. Pushes into `queues`."""

    def share_gradients(self) -> None:
        """Make every process hold the gradient of the whole batch."""

    def validate(self, averaged: nn.Module) -> Verdict:
        """Judge the averaged weights; every process gets the same verdict."""

    def publish(self, averaged: nn.Module, step: int, folder: Path) -> None:
        """Write the weights that others read."""


@dataclass
class _Standing:
    """How far a run is."""

    step: int = 0
    best: float = float("-inf")
    best_step: int = 0
    stale: int = 0

    def judge(self, score: float) -> bool:
        """Whether this is the best so far."""
        better = score > self.best
        if better:
            self.best, self.best_step, self.stale = score, self.step, 0
        else:
            self.stale += 1
        return better


@dataclass(frozen=True)
class Fit:
    """One run of a task. `workers`: threads that prepare batches ahead. `stop_after`: end there as if killed.

    `keep`: steps whose averaged weights are published below `kept/STEP` too, however good they are.
    """

    task: Task
    plan: TrainingPlan
    batches: PairBatches
    run: RunDirectory
    place: Place
    workers: int = 0
    stop_after: int | None = None
    keep: tuple[int, ...] = ()

    def fit(self) -> None:
        """Train to the end of the plan, or until patience is spent."""
        task, plan = self.task, self.plan
        averaged = copy.deepcopy(task.module).requires_grad_(False)
        optimiser = _optimiser(task.module, plan)
        standing = self._resume(averaged, optimiser)
        metrics = Metrics(self.run, standing.step) if self.place.first else None
        stream = self.batches.from_to(standing.step * plan.accumulate, plan.steps * plan.accumulate, self.workers)
        with _progress(self.place) as progress:
            bar = progress.add_task(self.run.path.name, total=plan.steps, completed=standing.step)
            began, began_at = time.monotonic(), standing.step
            while standing.step < plan.steps and not self._spent(standing):
                terms = self._step(stream, optimiser, standing.step)
                move_average(averaged, task.module, plan.ema_decay, standing.step)
                standing.step += 1
                done = standing.step
                progress.update(bar, completed=done)
                last = done == plan.steps
                if metrics is not None and (done % _LOG_EVERY == 0 or last):
                    metrics.add(done, {name: round(float(value.detach()), 5) for name, value in terms.items()})
                if done % plan.evaluate_every == 0 or last:
                    verdict = task.validate(averaged)
                    better = standing.judge(verdict.score)
                    if metrics is not None:
                        metrics.add(done, {**verdict.figures, "score": verdict.score})
                        pace = (time.monotonic() - began) / (done - began_at)
                        progress.console.print(f"step {done}, {pace:.2f} s each: {verdict.figures}", highlight=False)
                        if better:
                            task.publish(averaged, done, self.run.path)
                if done in self.keep and self.place.first:
                    kept = self.run.path / "kept" / str(done)
                    kept.mkdir(parents=True, exist_ok=True)
                    task.publish(averaged, done, kept)
                stopping = last or done == self.stop_after or self._spent(standing)
                if self.place.first and (done % plan.checkpoint_every == 0 or stopping):
                    self._save(averaged, optimiser, standing)
                if done == self.stop_after:
                    break
        if metrics is not None:
            metrics.close()

    def _step(self, stream: Iterator[PairBatch], optimiser: torch.optim.Optimizer, step: int) -> dict[str, Tensor]:
        plan, module = self.plan, self.task.module
        factor = rate_factor(step, round(plan.steps * plan.span), plan.warmup_steps, plan.decay_share)
        for group in optimiser.param_groups:
            group["lr"] = group["base_rate"] * factor * plan.decay_per_step**step
        module.train()
        optimiser.zero_grad(set_to_none=True)
        sums: dict[str, Tensor] = {}
        for _ in range(plan.accumulate):
            terms = self.task.losses(next(stream))
            torch.autograd.backward(terms["total"] / plan.accumulate)
            for name, value in terms.items():
                sums[name] = sums.get(name, torch.zeros_like(value)) + value.detach() / plan.accumulate
        self.task.share_gradients()
        if plan.clip:
            torch.nn.utils.clip_grad_norm_(module.parameters(), plan.clip)
        optimiser.step()
        return sums

    def _spent(self, standing: _Standing) -> bool:
        return 0 < self.plan.patience <= standing.stale

    def _resume(self, averaged: nn.Module, optimiser: torch.optim.Optimizer) -> _Standing:
        if not self.run.checkpoint.is_file():
            return _Standing()
        state = RunState.load(self.run.checkpoint)
        self.task.module.load_state_dict(state.module)
        averaged.load_state_dict(state.averaged)
        optimiser.load_state_dict(state.optimiser)
        for name, queue in state.queues.items():
            self.task.queues[name] = KeyQueue(**queue).to(self.place.device)
        return _Standing(state.step, state.best, state.best_step, state.stale)

    def _save(self, averaged: nn.Module, optimiser: torch.optim.Optimizer, standing: _Standing) -> None:
        RunState(
            step=standing.step,
            module=self.task.module.state_dict(),
            averaged=averaged.state_dict(),
            optimiser=optimiser.state_dict(),
            queues={name: dict(vars(queue)) for name, queue in self.task.queues.items()},
            best=standing.best,
            best_step=standing.best_step,
            stale=standing.stale,
        ).save(self.run.checkpoint)


def _optimiser(module: nn.Module, plan: TrainingPlan) -> torch.optim.Optimizer:
    """CNN trunks learn at `rate`, everything else at `new_rate`."""
    trunks = [part for part in module.modules() if isinstance(part, Trunk)]
    old = {id(parameter) for trunk in trunks for parameter in trunk.parameters()}
    learning = [parameter for parameter in module.parameters() if parameter.requires_grad]
    groups = [
        {"params": [p for p in learning if id(p) in old], "base_rate": plan.rate},
        {"params": [p for p in learning if id(p) not in old], "base_rate": plan.new_rate or plan.rate},
    ]
    groups = [group for group in groups if group["params"]]
    kind = torch.optim.Adam if plan.optimiser == "adam" else torch.optim.AdamW
    return kind(groups, lr=plan.rate, weight_decay=plan.weight_decay)


def _progress(place: Place) -> Progress:
    console = Console(file=sys.stderr, stderr=True)
    return Progress(console=console, transient=True, disable=not (place.first and console.is_terminal))
