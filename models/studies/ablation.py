"""Train the arms of an ablation, each with every seed, and put their figures into one table.

Arms that share a teacher train it once. Every run resumes, and so does the ablation: the same command continues it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from models.atomic_files import write_json, write_text
from models.console import log
from models.training.engine.config import ConfigInvalid, Frozen, flaws_in_words, merge_tables, read_experiment
from models.training.engine.run_directory import RunDirectory
from models.training.pairs.run import PairRun, Resources
from models.training.recipes.table import parse_recipe, train_students_of, train_teacher_of
from models.training.students.config import StudentExperiment


class Arm(Frozen):
    """`changes` over the base experiment, table by table."""

    name: str
    changes: dict[str, Any] = Field(default_factory=dict)


class AblationConfig(Frozen):
    """`base`: an experiment file beside this one, of any recipe on pairs. `changes`: of every arm, before its own.

    `about`: see `Experiment`.
    """

    schema_version: Literal[1]
    study: Literal["ablation"]
    about: dict[str, Any]
    base: str
    seeds: tuple[int, ...]
    changes: dict[str, Any] = Field(default_factory=dict)
    arms: tuple[Arm, ...]

    @classmethod
    def load(cls, path: Path) -> AblationConfig:
        """Read a TOML file. Raises ConfigInvalid."""
        values = read_experiment(path)
        if values.get("study") != "ablation":
            raise ConfigInvalid(f'{path} is no ablation: it should say study = "ablation", as ablation.toml does')
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise ConfigInvalid(f"{path} is not a valid ablation: {flaws_in_words(error)}") from error


@dataclass(frozen=True)
class Cell:
    """One arm on one split, in percent: `mean` acc@1 over the seeds, `low` and `high` of them.

    `half_width`: of the 95 % interval for that many sketches (normal approximation). Seeds share the sketches, so more
    of them do not narrow it.
    """

    mean: float
    low: float
    high: float
    half_width: float


def run_ablation(
    path: Path, resources: Resources, out: Path, arms: Sequence[str] = (), seeds: Sequence[int] = ()
) -> None:
    """Train and tabulate; `arms` and `seeds` restrict it to some.

    Writes `ablation.json` and `ablation.md` after each arm, of all that is there so far.
    Raises ConfigInvalid and what training raises.
    """
    ablation = AblationConfig.load(path)
    chosen = [arm for arm in ablation.arms if not arms or arm.name in arms]
    if unknown := set(arms) - {arm.name for arm in chosen}:
        known = ", ".join(arm.name for arm in ablation.arms)
        raise ConfigInvalid(f"no arm is called {sorted(unknown)[0]!r}; there are {known}")
    base = merge_tables(read_experiment(path.parent / ablation.base), ablation.changes)
    # Seeds outside, arms inside: an ablation that is stopped early has compared all arms by the seeds that it reached.
    for seed in seeds or ablation.seeds:
        for arm in chosen:
            config = parse_recipe({**merge_tables(base, arm.changes), "seed": seed}, f"{path}, {arm.name}")
            run = PairRun(config, replace(resources, cache=resources.cache or out / "cache"), out)
            _train_arm(arm.name, run)
            _tabulate(ablation, out, _queries(run))


def _train_arm(name: str, run: PairRun[StudentExperiment]) -> None:
    log(f"== {name}, seed {run.config.seed}")
    teacher = None
    if run.config.student_training.distilling:
        teacher = run.out / "teachers" / _teacher_key(run.config)
        train_teacher_of(replace(run, out=teacher))
    train_students_of(replace(run, out=run.out / name / f"seed{run.config.seed}", teacher=teacher))


def _teacher_key(config: StudentExperiment) -> str:
    """The same for experiments that differ in what concerns their students alone."""
    plain = json.dumps(config.described_teacher(), sort_keys=True)
    return f"seed{config.seed}-{hashlib.sha256(plain.encode()).hexdigest()[:10]}"


def _queries(run: PairRun[StudentExperiment]) -> dict[str, int]:
    return {name: sum(len(g.queries) for g in parts) for name, parts in run.galleries().items()}


def _tabulate(ablation: AblationConfig, out: Path, queries: dict[str, int]) -> None:
    table: dict[str, dict[str, Cell]] = {}
    for arm in ablation.arms:
        ends = [end for folder in sorted((out / arm.name).glob("seed*")) if (end := _last_figures(folder))]
        if ends:
            table[arm.name] = {n: _cell([end[f"{n}@1"] for end in ends], count) for n, count in queries.items()}
    write_json(out / "ablation.json", {name: {n: vars(c) for n, c in row.items()} for name, row in table.items()})
    lines = [f"| arm | {' | '.join(queries)} |", "|---" * (len(queries) + 1) + "|"]
    for arm_name, row in table.items():
        cells = [
            f"{cell.mean:.1f} ± {cell.half_width:.1f} ({cell.low:.1f} to {cell.high:.1f})" for cell in row.values()
        ]
        lines.append(f"| {arm_name} | {' | '.join(cells)} |")
    write_text(out / "ablation.md", "\n".join(lines) + "\n")


def _last_figures(folder: Path) -> dict[str, float] | None:
    """Of a run that reached the end of its plan; None of one that is unfinished."""
    run = RunDirectory(folder)
    if not run.checkpoint.is_file():
        return None
    # Not the best evaluation, which would have been chosen by the very figures that are reported.
    steps = run.config()["student_training"]["plan"]["steps"]
    return next((entry for entry in run.entries() if entry["step"] == steps and "score" in entry), None)


def _cell(values: Sequence[float], queries: int) -> Cell:
    mean = sum(values) / len(values)
    share = mean / 100
    # 1.96 standard errors of a share, in per cent: 196 = 1.96 * 100.
    return Cell(round(mean, 2), min(values), max(values), round(196 * (share * (1 - share) / queries) ** 0.5, 2))
