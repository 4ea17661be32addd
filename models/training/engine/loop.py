"""The training loop of every recipe. Read `fit` top to bottom; losses, data and figures are the task's business.

Killed at any point, the same call resumes from the last checkpoint, with the result of an uninterrupted run.
"""

from __future__ import annotations

import copy
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import torch
from rich.console import Console
from rich.progress import Progress
from torch import Tensor, nn

from models.training.engine.averaging import move_average
from models.training.engine.config import TrainingPlan
from models.training.engine.metrics import Metrics
from models.training.engine.optimiser import RateGroup, build_optimiser, set_rates
from models.training.engine.processes import Process
from models.training.engine.run_directory import RunDirectory
from models.training.engine.state import RunState

_LOG_EVERY = 20
B = TypeVar("B")
B_in = TypeVar("B_in", contravariant=True)
B_out = TypeVar("B_out", covariant=True)


@dataclass(frozen=True)
class Evaluation:
    """Named `figures` of the validation splits, and the `score` that early stopping watches; higher is better."""

    figures: dict[str, float]
    score: float


class BatchSource(Protocol[B_out]):
    """Batches by number: number i must be a function of the seed and i alone."""

    def from_to(self, start: int, stop: int, workers: int) -> Iterator[B_out]:
        """Batches `start` to `stop`, the latter excluded; `workers` threads prepare them ahead."""


class Task(Protocol[B_in]):
    """What is trained and how it is judged. `module`: everything that learns."""

    module: nn.Module

    def rate_groups(self, plan: TrainingPlan) -> Sequence[RateGroup]:
        """The parameters that learn, each once, with their base rates."""

    def losses(self, batch: B_in) -> Mapping[str, Tensor]:
        """Named scalars of a batch; `total` carries the gradient. May change the task's memory."""

    def share_gradients(self) -> None:
        """Make every process hold the gradient of the whole batch."""

    def memory(self) -> dict[str, Any]:
        """State besides weights that a resumed run needs, such as queues: tensors and plain values."""

    def restore(self, memory: Mapping[str, Any]) -> None:
        """Take over what `memory` gave."""

    def validate(self, averaged: nn.Module) -> Evaluation:
        """Figures of the averaged weights; every process returns the same."""

    def publish(self, averaged: nn.Module, step: int, folder: Path) -> None:
        """Write the weights that others read below `folder`."""


@dataclass
class _Progress:
    """How far a run is, and its best evaluation."""

    step: int = 0
    best: float = float("-inf")
    best_step: int = 0
    stale: int = 0

    def record(self, score: float) -> bool:
        """Count an evaluation; whether it is the best so far."""
        better = score > self.best
        if better:
            self.best, self.best_step, self.stale = score, self.step, 0
        else:
            self.stale += 1
        return better


@dataclass(frozen=True)
class Fit(Generic[B]):
    """One run of a task. `workers`: threads that prepare batches ahead. `stop_after`: end there as if killed.

    `keep`: steps whose averaged weights are published below `kept/STEP` too, however good they are.
    """

    task: Task[B]
    plan: TrainingPlan
    batches: BatchSource[B]
    run: RunDirectory
    process: Process
    workers: int = 0
    stop_after: int | None = None
    keep: tuple[int, ...] = ()

    def fit(self) -> None:
        """Train to the end of the plan, or until patience is exhausted."""
        task, plan = self.task, self.plan
        averaged = copy.deepcopy(task.module).requires_grad_(False)
        optimiser = build_optimiser(task.rate_groups(plan), plan)
        progress = self._resume(averaged, optimiser)
        metrics = Metrics(self.run, progress.step) if self.process.is_main else None
        # Batches are numbered over the run and a step takes `accumulate` of them, so a resumed run goes on with the
        # next.
        stream = self.batches.from_to(progress.step * plan.accumulate, plan.steps * plan.accumulate, self.workers)
        with _progress_bar(self.process) as display:
            bar = display.add_task(self.run.path.name, total=plan.steps, completed=progress.step)
            began, began_at = time.monotonic(), progress.step
            while progress.step < plan.steps and not self._exhausted(progress):
                terms = self._step(stream, optimiser, progress.step)
                move_average(averaged, task.module, plan.ema_decay, progress.step)
                progress.step += 1
                done, last = progress.step, progress.step == plan.steps
                display.update(bar, completed=done)
                if metrics is not None and (done % _LOG_EVERY == 0 or last):
                    metrics.add(done, {name: round(float(value.detach()), 5) for name, value in terms.items()})
                # Before the checkpoint, which holds the score: a resumed run does not evaluate this step again.
                if done % plan.evaluate_every == 0 or last:
                    figures = self._evaluate(averaged, progress, metrics)
                    pace_s = (time.monotonic() - began) / (done - began_at)
                    if self.process.is_main:
                        display.console.print(f"step {done}, {pace_s:.2f} s each: {figures}", highlight=False)
                stopping = last or done == self.stop_after or self._exhausted(progress)
                self._write(averaged, optimiser, progress, stopping)
                if done == self.stop_after:
                    break
        if metrics is not None:
            metrics.close()

    def _step(self, stream: Iterator[B], optimiser: torch.optim.Optimizer, step: int) -> dict[str, Tensor]:
        plan, module = self.plan, self.task.module
        set_rates(optimiser, plan, step)
        module.train()
        optimiser.zero_grad(set_to_none=True)
        sums: dict[str, Tensor] = {}
        for _ in range(plan.accumulate):
            terms = self.task.losses(next(stream))
            torch.autograd.backward(terms["total"] / plan.accumulate)
            for name, value in terms.items():
                sums[name] = sums.get(name, torch.zeros_like(value)) + value.detach() / plan.accumulate
        # Before clipping: the limit is on the gradient of the whole batch, and every process has to cut it alike.
        self.task.share_gradients()
        if plan.clip:
            torch.nn.utils.clip_grad_norm_(module.parameters(), plan.clip)
        optimiser.step()
        return sums

    def _evaluate(self, averaged: nn.Module, progress: _Progress, metrics: Metrics | None) -> dict[str, float]:
        evaluation = self.task.validate(averaged)
        better = progress.record(evaluation.score)
        if metrics is not None:
            metrics.add(progress.step, {**evaluation.figures, "score": evaluation.score})
            if better or self.plan.publish == "last":
                self.task.publish(averaged, progress.step, self.run.path)
        return evaluation.figures

    def _write(
        self, averaged: nn.Module, optimiser: torch.optim.Optimizer, progress: _Progress, stopping: bool
    ) -> None:
        """The weights of steps to keep, and the state to resume from, where either is due."""
        if not self.process.is_main:
            return
        if progress.step in self.keep:
            kept = self.run.path / "kept" / str(progress.step)
            kept.mkdir(parents=True, exist_ok=True)
            self.task.publish(averaged, progress.step, kept)
        if progress.step % self.plan.checkpoint_every == 0 or stopping:
            RunState(
                step=progress.step,
                module=self.task.module.state_dict(),
                averaged=averaged.state_dict(),
                optimiser=optimiser.state_dict(),
                memory=self.task.memory(),
                best=progress.best,
                best_step=progress.best_step,
                stale=progress.stale,
            ).save(self.run.checkpoint)

    def _exhausted(self, progress: _Progress) -> bool:
        return 0 < self.plan.patience <= progress.stale

    def _resume(self, averaged: nn.Module, optimiser: torch.optim.Optimizer) -> _Progress:
        if not self.run.checkpoint.is_file():
            return _Progress()
        state = RunState.load(self.run.checkpoint)
        self.task.module.load_state_dict(state.module)
        averaged.load_state_dict(state.averaged)
        optimiser.load_state_dict(state.optimiser)
        self.task.restore(state.memory)
        return _Progress(state.step, state.best, state.best_step, state.stale)


def _progress_bar(process: Process) -> Progress:
    console = Console(file=sys.stderr, stderr=True)
    return Progress(console=console, transient=True, disable=not (process.is_main and console.is_terminal))
