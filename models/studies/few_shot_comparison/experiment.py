"""The comparison: every competitor is learned on each fold, and all run over the same episodes of unseen categories."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from models.adapters.category import category_mean
from models.adapters.state import Adaptation
from models.arrays import Vectors
from models.data.sampling.episodes import episode
from models.evaluation.few_shot.bundle_methods import ADAPTED, GATED, ZERO_SHOT, adaptation_methods
from models.evaluation.few_shot.closed_form import GRIDS
from models.evaluation.few_shot.material import EmbeddedPart
from models.evaluation.few_shot.methods import Centred, Method, NoAdaptation
from models.evaluation.few_shot.protocol import Material, Trial, Unit, run
from models.evaluation.few_shot.results import Result
from models.studies.few_shot_comparison.inner_loops import BaselineModel
from models.studies.few_shot_comparison.learned_method import LearnedMethod
from models.studies.few_shot_comparison.spaces import Fold
from models.studies.few_shot_comparison.variant import ComparisonConfig, Variant
from models.training.engine.run_directory import RunDirectory
from models.training.recipes.adaptive.meta_train import MetaTasks, meta_train

Log = Callable[[str], object]

CHOOSING_DRAWS = 2
"""Draws of each training task by which the closed forms' numbers and fine-tuning's rate are chosen."""
MARGIN_DRAWS = 10
"""Draws over which a predicted margin is averaged."""
MOST_STEPS = 5
_RATES = (0.01, 0.03, 0.1, 0.3)
# Where M starts is part of a learned method's identity: with another start another directory is taken.
_START = "identity, or principal axes"
_NONE_FOR_VALIDATION = 1_000_000


@dataclass(frozen=True)
class Learning:
    """Meta-trains variants in directories below `out`; one that is complete is loaded, not trained again."""

    config: ComparisonConfig
    out: Path
    log: Log

    def method(self, variant: Variant, fold: Fold) -> LearnedMethod:
        """Meta-train a variant on a fold; where it is to be fine-tuned, choose the rate there."""
        method = LearnedMethod(variant.name, self._model(variant, fold))
        if not variant.inner.tuned_steps:
            return method
        steps = variant.inner.tuned_steps
        grid = [replace(method, steps=steps, rate=rate) for rate in _RATES]
        chosen = best(grid, fold.meta.material(Unit.CATEGORY), self.config.seed)
        self.log(f"{variant.name}: {steps} steps at {chosen.rate}, chosen on training tasks")
        return chosen

    def _model(self, variant: Variant, fold: Fold) -> BaselineModel:
        config = self.config.adapt_config(variant)
        torch.manual_seed(config.seed)
        model = BaselineModel(config, fold.meta.photos.shape[1], variant.inner)
        if model.head is not None:
            model.head.data = torch.from_numpy(principal_axes(fold.meta, config.head_dim))
        tasks = MetaTasks.of([fold.meta], _NONE_FOR_VALIDATION, reduced=model.rotation_invariant)
        # What is learned depends on these numbers and on nothing else.
        identity = {**config.model_dump(mode="json"), "inner": variant.inner.model_dump(mode="json")}
        identity |= {
            "name": "",
            "about": {},
            "begins": _START,
            "learned_from": hashlib.sha256(fold.meta.sketches.tobytes()).hexdigest(),
        }
        directory = self.out / hashlib.sha256(repr(sorted(identity.items())).encode()).hexdigest()[:16]
        self.log(f"learning {variant.name}")
        meta_train(config, tasks, RunDirectory.open(directory, identity), lambda line: None, model=model)
        model.requires_grad_(False)
        return model


def principal_axes(part: EmbeddedPart, count: int) -> Vectors:
    """(E, count): in which directions photos of one category differ most; where a small M starts."""
    tasks = part.material(Unit.CATEGORY).tasks
    moved = np.concatenate([part.photos[task.gallery] - category_mean(part.photos[task.gallery]) for task in tasks])
    _, axes = np.linalg.eigh(moved.T @ moved)
    # eigh gives the smallest eigenvalue first.
    return np.ascontiguousarray(axes[:, ::-1][:, :count], dtype=np.float32)


def best(grid: Sequence[LearnedMethod], meta: Material, seed: int) -> LearnedMethod:
    """The method of the grid that `best_of` chooses."""
    return grid[best_of(grid, meta, seed)]


def best_of(grid: Sequence[Method], meta: Material, seed: int) -> int:
    """The number of the method with the highest acc@1 within the task at k = 5, the first of equals."""
    scores = [
        float((run(meta, [method], (5,), draws=CHOOSING_DRAWS, seed=seed).ranks[method.name, 5][:, 0] <= 1).mean())
        for method in grid
    ]
    return int(np.argmax(scores))


def closed_forms(meta: Material, seed: int, log: Log) -> tuple[Method, ...]:
    """Of each closed form the one that does best on training tasks."""
    chosen = tuple(grid[best_of(grid, meta, seed)] for grid in GRIDS.values())
    log(f"chosen on training tasks: {', '.join(map(str, chosen))}")
    return chosen


def table(folds: Sequence[Fold], learning: Learning, ours: Adaptation | None) -> Result:
    """All competitors, and the bundle's own adaptation where there is one, over all folds."""
    config, trials = learning.config, []
    for fold in folds:
        closed = closed_forms(fold.meta.material(Unit.CATEGORY), config.seed, learning.log)
        learned = [learning.method(variant, fold) for variant in config.variants]
        own = adaptation_methods(ours, Unit.CATEGORY) if ours is not None else ()
        adapted = [method for method in own if method.name in (ZERO_SHOT, ADAPTED, GATED)]
        methods: tuple[Method, ...] = (NoAdaptation(), Centred(), *closed, *learned, *adapted)
        learning.log(f"{len(methods)} methods over {config.draws} draws of each test category")
        material = fold.test.material(Unit.CATEGORY)
        trials.append(run(material, methods, config.ks, draws=config.draws, seed=config.seed))
    return result_of(pooled(trials), config.ks, config.draws, config.seed)


def ablations(folds: Sequence[Fold], learning: Learning) -> Result:
    """The configured ones, and the shown variant with 0 to 5 inner steps at test."""
    config, trials = learning.config, []
    shown = next(variant for variant in config.variants if variant.name == config.shown)
    for fold in folds:
        methods: list[Method] = [NoAdaptation(), Centred()]
        methods += [learning.method(variant, fold) for variant in config.ablations]
        learned = learning.method(shown, fold)
        methods += [replace(learned, name=f"steps {steps}", steps=steps) for steps in range(MOST_STEPS + 1)]
        learning.log(f"{len(methods)} ablations over {config.ablation_draws} draws of each test category")
        material = fold.test.material(Unit.CATEGORY)
        trials.append(run(material, methods, (config.ablation_k,), draws=config.ablation_draws, seed=config.seed))
    return result_of(pooled(trials), (config.ablation_k,), config.ablation_draws, config.seed)


def predicted_margins(folds: Sequence[Fold], learning: Learning) -> dict[str, float]:
    """Test category -> the mean margin that the shown variant predicts for it."""
    config = learning.config
    shown = next(variant for variant in config.variants if variant.name == config.shown)
    predicted: dict[str, list[float]] = {}
    for fold in folds:
        method, material = learning.method(shown, fold), fold.test.material(Unit.CATEGORY)
        for task in material.tasks:
            for draw in range(MARGIN_DRAWS):
                one = episode(task, config.ablation_k, draw, seed=config.seed)
                fitted = method.fitted(
                    material.sketches[one.support], one.support_targets, material.photos[task.gallery]
                )
                if fitted.margin is not None:
                    predicted.setdefault(task.name, []).append(float(fitted.margin))
    return {name: float(np.mean(margins)) for name, margins in predicted.items()}


def tested(
    part: EmbeddedPart, unit: Unit, config: ComparisonConfig, adaptation: Adaptation | None, closed: Sequence[Method]
) -> Result:
    """A bundle on a test set: without examples, closed forms, and its own adaptation."""
    own: tuple[Method, ...] = (NoAdaptation(), Centred())
    if adaptation is not None:
        own = adaptation_methods(adaptation, unit)
    without = [method for method in own if not method.uses_examples]
    methods = (*without, *closed, *(method for method in own if method.uses_examples))
    trial = run(part.material(unit), methods, config.ks, draws=config.draws, seed=config.seed)
    return result_of(trial, config.ks, config.draws, config.seed)


def pooled(trials: Sequence[Trial]) -> Trial:
    """One trial of all. The same tasks in several spaces each bring all of their queries; other tasks are added."""
    first = trials[0]
    photos, tasks, names = [first.photos], [first.tasks], first.task_names
    for trial in trials[1:]:
        is_same = trial.task_names == first.task_names
        # Rows and numbers of other tasks' trials count from 0 again, and would be taken for the first one's.
        photos.append(trial.photos + (0 if is_same else 1 + max(int(each.max()) for each in photos)))
        tasks.append(trial.tasks + (0 if is_same else len(names)))
        names = names if is_same else (*names, *trial.task_names)
    return replace(
        first,
        task_names=names,
        photos=np.concatenate(photos),
        tasks=np.concatenate(tasks),
        draws=np.concatenate([trial.draws for trial in trials]),
        ranks={arm: np.concatenate([trial.ranks[arm] for trial in trials]) for arm in first.ranks},
    )


def result_of(trial: Trial, ks: Sequence[int], draws: int, seed: int) -> Result:
    """With the methods in the order in which they were run."""
    names = tuple(dict.fromkeys(name for name, _ in trial.ranks))
    return Result(trial, names, tuple(ks), NoAdaptation().name, draws, seed)
