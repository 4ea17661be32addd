"""The recipes that train on pairs, by the name that an experiment file gives in `recipe`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from models.training.engine.config import ConfigInvalid, read_experiment
from models.training.pairs.run import PairRun
from models.training.recipes.contrastive.config import ContrastiveConfig
from models.training.recipes.contrastive.train import train_contrastive
from models.training.recipes.parts.config import PartsConfig
from models.training.recipes.parts.train import train_parts
from models.training.recipes.xmodalvit.config import XModalConfig
from models.training.recipes.xmodalvit.students import distill_students
from models.training.recipes.xmodalvit.teacher import train_teacher
from models.training.students.config import StudentExperiment


@dataclass(frozen=True)
class Recipe:
    """`students`, `teacher`: train each of a run; `teacher` is None where the recipe has none."""

    config: type[StudentExperiment]
    students: Callable[[PairRun[Any]], None]
    teacher: Callable[[PairRun[Any]], None] | None = None


RECIPES: Mapping[str, Recipe] = MappingProxyType(
    {
        "contrastive": Recipe(ContrastiveConfig, train_contrastive),
        "parts": Recipe(PartsConfig, train_parts),
        "xmodalvit": Recipe(XModalConfig, distill_students, train_teacher),
    }
)

_STUDIES = {"ablation": "ablation", "few_shot_comparison": "compare"}


def read_recipe(path: Path, changes: Sequence[str] = ()) -> StudentExperiment:
    """A file's experiment, of its recipe's class; `changes`: see `Experiment.load`. Raises ConfigInvalid."""
    return parse_recipe(read_experiment(path, changes), str(path))


def parse_recipe(values: Mapping[str, Any], source: str) -> StudentExperiment:
    """Plain values as an experiment of the recipe that they name; `source` names them. Raises ConfigInvalid."""
    recipe = RECIPES.get(str(values.get("recipe")))
    if recipe is None:
        raise ConfigInvalid(_no_recipe_on_pairs(values, source))
    return recipe.config.parse(values, source)


def _no_recipe_on_pairs(values: Mapping[str, Any], source: str) -> str:
    study = str(values.get("study", ""))
    command = "adapt" if values.get("recipe") == "adaptive" else _STUDIES.get(study)
    if command:
        return f"{source} is for `inkseek train {command}`"
    return f"{source} names the recipe {values.get('recipe')!r}; those on pairs are {', '.join(RECIPES)}"


def train_students_of(run: PairRun[StudentExperiment]) -> None:
    """Train the students of a run by the recipe that its experiment names.

    Raises ConfigInvalid where the run is given what it has no use for, and what the recipe raises.
    """
    steps = run.config.student_training.plan.steps
    if beyond := [step for step in run.keep if not 1 <= step <= steps]:
        raise ConfigInvalid(f"there is no step {beyond[0]} to keep: the run has steps 1 to {steps}")
    if run.teacher is not None and not run.config.distilling:
        raise ConfigInvalid(
            "no loss of this experiment learns from a teacher: leave it out, or give such a loss a weight"
        )
    RECIPES[run.config.recipe].students(run)


def train_teacher_of(run: PairRun[StudentExperiment]) -> None:
    """Train the teacher of a run by its recipe. Raises ConfigInvalid where it has none, and what it raises."""
    train = RECIPES[run.config.recipe].teacher
    if train is None:
        having = ", ".join(name for name, recipe in RECIPES.items() if recipe.teacher is not None)
        raise ConfigInvalid(f"the recipe {run.config.recipe} trains no teacher, only {having} does: train students")
    train(run)
