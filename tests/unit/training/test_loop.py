"""The engine against a naive loop, on a task that knows no images: a line is fitted to points."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from models.training.engine.config import TrainingPlan
from models.training.engine.loop import Evaluation, Fit
from models.training.engine.optimiser import RateGroup, split_rates
from models.training.engine.processes import Process
from models.training.engine.run_directory import RunDirectory
from models.training.engine.schedule import rate_factor
from models.training.engine.state import CheckpointInvalid, RunState

PLAN = TrainingPlan(
    steps=12,
    accumulate=2,
    rate=0.05,
    new_rate=0.2,
    warmup_steps=3,
    decay_share=0.5,
    ema_decay=0.6,
    clip=0.7,
    weight_decay=0.02,
    evaluate_every=4,
    checkpoint_every=3,
)


class Points:
    """Batch i: four points of a line, by the number alone."""

    def batch(self, number: int) -> Tensor:
        return torch.rand(4, 3, generator=torch.Generator().manual_seed(number))

    def from_to(self, start: int, stop: int, workers: int) -> Iterator[Tensor]:
        return (self.batch(number) for number in range(start, stop))


class LineTask:
    """Two layers at two rates; the memory counts the batches that were seen."""

    def __init__(self, scores: tuple[float, ...] = (1.0, 2.0, 3.0)) -> None:
        torch.manual_seed(0)
        self.module: nn.Module = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
        self.seen = 0
        self.scores = list(scores)
        self.published: list[tuple[int, str]] = []

    def rate_groups(self, plan: TrainingPlan) -> tuple[RateGroup, ...]:
        return split_rates(self.module, [self.module.get_submodule("0")], plan)

    def losses(self, batch: Tensor) -> dict[str, Tensor]:
        self.seen += 1
        error = (self.module(batch)[:, 0] - batch.sum(dim=1)).square().mean()
        return {"error": error, "total": 2 * error}

    def share_gradients(self) -> None:
        pass

    def memory(self) -> dict[str, Any]:
        return {"seen": self.seen}

    def restore(self, memory: Mapping[str, Any]) -> None:
        self.seen = memory["seen"]

    def validate(self, averaged: nn.Module) -> Evaluation:
        weight = next(averaged.parameters())
        return Evaluation({"norm": float(weight.norm())}, self.scores.pop(0))

    def publish(self, averaged: nn.Module, step: int, folder: Path) -> None:
        self.published.append((step, folder.name))


def run(folder: Path, task: LineTask, plan: TrainingPlan = PLAN, **options: Any) -> None:
    folder.mkdir(exist_ok=True)
    Fit(task, plan, Points(), RunDirectory(folder), Process(), **options).fit()


def naive(plan: TrainingPlan) -> tuple[nn.Module, nn.Module, list[float]]:
    """The plan, written out: accumulated gradients, clipped, AdamW at two scheduled rates, a running average."""
    task = LineTask()
    module, average = task.module, copy.deepcopy(task.module)
    first, last = list(module.get_submodule("0").parameters()), list(module.get_submodule("2").parameters())
    optimiser = torch.optim.AdamW([{"params": first}, {"params": last}], weight_decay=plan.weight_decay)
    losses = []
    for step in range(plan.steps):
        for group, rate in zip(optimiser.param_groups, (0.05, 0.2), strict=True):
            group["lr"] = rate * rate_factor(step, plan.steps, plan.warmup_steps, plan.decay_share)
        optimiser.zero_grad()
        mean = torch.stack([task.losses(Points().batch(2 * step + part))["total"] for part in range(2)]).mean()
        torch.autograd.backward(mean)
        norm = torch.cat([p.grad.flatten() for p in module.parameters() if p.grad is not None]).norm()
        for parameter in module.parameters():
            assert parameter.grad is not None
            parameter.grad *= min(1.0, plan.clip / (float(norm) + 1e-6))
        optimiser.step()
        decay = min(plan.ema_decay, (step + 1) / (step + 10))
        with torch.no_grad():
            for mine, now in zip(average.parameters(), module.parameters(), strict=True):
                mine.copy_(decay * mine + (1 - decay) * now)
        losses.append(float(mean.detach()))
    return module, average, losses


def test_a_run_computes_what_a_naive_loop_does(tmp_path: Path) -> None:
    task = LineTask()
    run(tmp_path / "run", task)
    module, average, losses = naive(PLAN)
    state = RunState.load(tmp_path / "run" / "checkpoint.pt")
    for name, value in module.state_dict().items():
        torch.testing.assert_close(state.module[name], value, rtol=1e-4, atol=1e-6)
        torch.testing.assert_close(state.averaged[name], average.state_dict()[name], rtol=1e-4, atol=1e-6)
    entries = RunDirectory(tmp_path / "run").entries()
    assert [entry["step"] for entry in entries] == [4, 8, 12, 12]
    assert entries[2]["total"] == pytest.approx(losses[-1], abs=2e-5)
    assert entries[3]["norm"] == pytest.approx(float(next(average.parameters()).detach().norm()), rel=1e-4)
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("stops", [(1,), (3, 4), (5, 7, 11)])
def test_a_killed_run_ends_as_one_that_was_not(tmp_path: Path, stops: tuple[int, ...]) -> None:
    run(tmp_path / "whole", LineTask())
    for stop in (*stops, None):
        task = LineTask()
        done = sum(step <= (max((s for s in stops if stop is None or s < stop), default=0)) for step in (4, 8, 12))
        task.scores = task.scores[done:]
        run(tmp_path / "killed", task, stop_after=stop)
    whole, killed = (RunState.load(tmp_path / name / "checkpoint.pt") for name in ("whole", "killed"))
    assert all(torch.equal(value, killed.module[name]) for name, value in whole.module.items())
    assert all(torch.equal(value, killed.averaged[name]) for name, value in whole.averaged.items())
    assert killed.memory == whole.memory == {"seen": 24}
    metrics = [(tmp_path / name / "metrics.jsonl").read_text() for name in ("whole", "killed")]
    assert metrics[0] == metrics[1]


def test_the_best_evaluation_is_published_and_patience_ends_the_run(tmp_path: Path) -> None:
    task = LineTask(scores=(1.0, 5.0, 5.0, 2.0, 9.0))
    plan = PLAN.model_copy(update={"steps": 100, "evaluate_every": 2, "patience": 2})
    run(tmp_path / "run", task, plan)
    assert task.published == [(2, "run"), (4, "run")]  # an equal score is no better one
    state = RunState.load(tmp_path / "run" / "checkpoint.pt")
    assert (state.step, state.best, state.best_step, state.stale) == (8, 5.0, 4, 2)
    assert task.scores == [9.0]
    run(tmp_path / "run", task, plan)  # stays ended
    assert task.scores == [9.0]


def test_steps_to_keep_are_published_apart(tmp_path: Path) -> None:
    task = LineTask(scores=(3.0, 2.0, 1.0))
    run(tmp_path / "run", task, keep=(2, 12))
    assert task.published == [(2, "2"), (4, "run"), (12, "12")]
    assert (tmp_path / "run" / "kept" / "12").is_dir()


def test_a_new_rate_of_0_freezes_what_is_new() -> None:
    task = LineTask()
    old, new = task.rate_groups(TrainingPlan(steps=1, rate=0.3, new_rate=0.0))
    assert (old.rate, new.rate) == (0.3, 0.0)
    assert [p.shape for p in old.parameters] == [(4, 3), (4,)]
    assert task.rate_groups(TrainingPlan(steps=1, rate=0.3))[1].rate == 0.3
    task.module.get_submodule("0").requires_grad_(False)
    assert not task.rate_groups(PLAN)[0].parameters


@pytest.mark.parametrize("content", [b"", b"no zip", b"\x80\x04N."])
def test_damaged_state_is_rejected(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "checkpoint.pt").write_bytes(content)
    with pytest.raises(CheckpointInvalid):
        run(tmp_path, LineTask())


def test_state_of_something_else_is_rejected(tmp_path: Path) -> None:
    for values in ([1, 2], {"step": 3}):
        torch.save(values, tmp_path / "checkpoint.pt")
        with pytest.raises(CheckpointInvalid):
            RunState.load(tmp_path / "checkpoint.pt")


def test_a_state_is_replaced_atomically(tmp_path: Path) -> None:
    state = RunState(1, {}, {}, {}, {}, 0.0, 0, 0)
    state.save(tmp_path / "checkpoint.pt")
    before = (tmp_path / "checkpoint.pt").read_bytes()
    with pytest.raises(AttributeError):  # a value that cannot be written leaves the old file
        RunState(2, {"x": lambda: None}, {}, {}, {}, 0.0, 0, 0).save(tmp_path / "checkpoint.pt")
    assert (tmp_path / "checkpoint.pt").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint.pt"]
    assert json.dumps(RunState.load(tmp_path / "checkpoint.pt").step) == "1"
