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


def read_recipe(path: Path, changes: Sequence[str] = ()) -> StudentExperiment:
    """A file's experiment, of its recipe's class; `changes`: see `Experiment.load`. Raises ConfigInvalid."""
    return parse_recipe(read_experiment(path, changes), str(path))


def parse_recipe(values: Mapping[str, Any], source: str) -> StudentExperiment:
    """Plain values as an experiment of the recipe that they name; `source` names them. Raises ConfigInvalid."""
    recipe = RECIPES.get(str(values.get("recipe")))
    if recipe is None:
        names = ", ".join(RECIPES)
        raise ConfigInvalid(f"{source} names the recipe {values.get('recipe')!r}; those on pairs are {names}")
    return recipe.config.parse(values, source)


def train_students_of(run: PairRun[StudentExperiment]) -> None:
    """Train the students of a run by the recipe that its experiment names. Raises what the recipe raises."""
    RECIPES[run.config.recipe].students(run)


def train_teacher_of(run: PairRun[StudentExperiment]) -> None:
    """Train the teacher of a run by its recipe. Raises ConfigInvalid where it has none, and what it raises."""
    train = RECIPES[run.config.recipe].teacher
    if train is None:
        raise ConfigInvalid(f"the recipe {run.config.recipe} trains no teacher")
    train(run)
