"""Experiment files: their schema version, their recipe, and what makes a run another one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from models.studies.ablation import AblationConfig
from models.training.engine.config import (
    ConfigInvalid,
    Experiment,
    Frozen,
    merge_tables,
    read_experiment,
)
from models.training.engine.environment import environment
from models.training.engine.metrics import Metrics
from models.training.engine.run_directory import RunDirectory, RunMismatch
from models.training.pairs.run import PairRun, Resources
from models.training.recipes.adaptive.config import AdaptConfig
from models.training.recipes.contrastive.config import ContrastiveConfig
from models.training.recipes.table import RECIPES, parse_recipe, read_recipe, train_teacher_of
from models.training.recipes.xmodalvit.config import XModalConfig

CONFIGS = Path(__file__).resolve().parents[3] / "models" / "configs"
ON_PAIRS = ("first_encoders", "own_pairs", "own_pairs_distilled", "students_base", "xmodalvit_best", "xmodalvit_paper")
PARTS = (
    "parts_first",
    "parts",
    "parts_final",
    "parts_gpu_teacher",
    "parts_gpu_teacher_lite",
    "parts_gpu",
    "parts_gpu_final",
    "parts_gpu_more",
    "parts_gpu_more_final",
)
SETS = [{"folder": "x", "pool": "own"}]


class Plan(Frozen):
    steps: int = 3


class Yesterday(Experiment):
    recipe: str = "made-up"
    plan: Plan = Plan()


class NewPlan(Plan):
    mirrored: bool = False


class Today(Yesterday):
    """A release with two options more, one of them nested."""

    plan: NewPlan = NewPlan()
    frame: str = "auto"


def begun(path: Path, experiment: Experiment, **facts: Any) -> RunDirectory:
    run = RunDirectory.open(path, experiment.described(**facts), experiment.normalised)
    run.checkpoint.write_bytes(b"")
    return run


def test_a_run_of_before_an_option_existed_still_resumes(tmp_path: Path) -> None:
    begun(tmp_path, Yesterday(about={}), teacher_sha256="a")
    assert "frame" not in json.loads((tmp_path / "config.json").read_text())
    run = begun(tmp_path, Today(about={"figures": 3}), teacher_sha256="a")
    assert run.config()["plan"] == {"steps": 3, "mirrored": False}
    assert run.config()["frame"] == "auto"


@pytest.mark.parametrize(
    ("changed", "name"),
    [
        (Today(about={}, frame="never"), "frame"),
        (Today(about={}, plan=NewPlan(mirrored=True)), "plan"),
        (Today(about={}, plan=NewPlan(steps=4)), "plan"),
        (Today(about={}, seed=1), "seed"),
    ],
)
def test_another_value_than_the_default_is_another_run(tmp_path: Path, changed: Today, name: str) -> None:
    begun(tmp_path, Yesterday(about={}))
    with pytest.raises(RunMismatch, match=f"another {name}"):
        begun(tmp_path, changed)


def test_facts_beside_the_experiment_count_too(tmp_path: Path) -> None:
    begun(tmp_path, Today(about={}), teacher_sha256="a")
    with pytest.raises(RunMismatch, match="teacher_sha256"):
        begun(tmp_path, Today(about={}), teacher_sha256="b")


def test_a_run_that_this_release_cannot_read_is_another_one(tmp_path: Path) -> None:
    begun(tmp_path, Today(about={}, frame="never"))
    with pytest.raises(RunMismatch):
        begun(tmp_path, Yesterday(about={}, seed=2))  # an older release: it does not know `mirrored`


def test_a_run_without_a_checkpoint_gives_way(tmp_path: Path) -> None:
    RunDirectory.open(tmp_path, Today(about={}).described())
    run = RunDirectory.open(tmp_path, Today(about={}, seed=5).described())
    assert run.config()["seed"] == 5


def test_a_contrastive_run_resumes_without_its_newest_options(tmp_path: Path) -> None:
    """The same with a real recipe: nested defaults are filled in, in losses too."""
    config = ContrastiveConfig.model_validate(
        {"about": {}, "sets": SETS, "student_training": {"plan": {"steps": 2}, "losses": {"info_nce": 1}}}
    )
    described = config.described(task="students")
    old = json.loads(json.dumps(described))
    del old["student"]["levels"], old["student_training"]["plan"]["patience"], old["sets"][0]["focus"]
    del old["student_training"]["losses"]["info_nce"]["options"]["label_smoothing"]
    RunDirectory.open(tmp_path, old).checkpoint.write_bytes(b"")
    RunDirectory.open(tmp_path, described, config.normalised)
    with pytest.raises(RunMismatch):
        RunDirectory.open(tmp_path, {**described, "bf16": False}, config.normalised)


@pytest.mark.parametrize("name", ON_PAIRS)
def test_shipped_experiments_name_their_recipe_and_its_facts(name: str) -> None:
    config = read_recipe(CONFIGS / f"{name}.toml")
    assert type(config) is RECIPES[config.recipe].config
    assert {"source", "command", "hardware", "hours", "expected", "reached"} <= set(config.about)
    assert parse_recipe(config.model_dump(mode="json"), "again") == config


def test_every_shipped_file_has_a_schema_version() -> None:
    for path in CONFIGS.glob("*.toml"):
        values = read_experiment(path)
        assert values.get("recipe") or values.get("study"), path
    assert AdaptConfig.load(CONFIGS / "adaptive.toml").recipe == "adaptive"


def test_the_arms_of_the_ablation_are_experiments() -> None:
    ablation = AblationConfig.load(CONFIGS / "ablation.toml")
    base = merge_tables(read_experiment(CONFIGS / ablation.base), ablation.changes)
    arms = {arm.name: parse_recipe(merge_tables(base, arm.changes), arm.name) for arm in ablation.arms}
    assert set(arms["contrastive"].student_training.objective.terms) == {"info_nce", "centred_info_nce"}
    assert set(arms["triplet"].student_training.objective.terms) == {"triplet"}
    assert not arms["triplet"].student_training.distilling
    assert arms["distillation_alone"].student_training.distilling


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("about = {}", "schema_version None; this release reads 1"),
        ("schema_version = 2\nabout = {}", "schema_version 2; this release reads 1"),
        ("schema_version = true\nabout = {}", "schema_version True"),
        ("schema_version = 1\nrecipe = 'adaptive'", "is for `inkseek train adapt`"),
        ("schema_version = 1\nrecipe = 'contrastive'", "is not a valid experiment"),
        ("schema_version = ", "not valid TOML"),
    ],
)
def test_wrong_files_are_rejected(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "wrong.toml").write_text(text)
    with pytest.raises(ConfigInvalid, match=reason):
        read_recipe(tmp_path / "wrong.toml")


def test_a_missing_file_and_a_wrong_change_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigInvalid, match="cannot be read"):
        read_recipe(tmp_path / "nowhere.toml")
    with pytest.raises(ConfigInvalid, match="pears"):
        read_recipe(CONFIGS / "own_pairs.toml", ["batch.pears = 3"])
    with pytest.raises(ConfigInvalid, match="gird"):
        read_recipe(CONFIGS / "own_pairs.toml", ["student.gird = 3"])
    assert read_recipe(CONFIGS / "own_pairs.toml", ["batch.pairs = 3", "seed = 4"]).batch.pairs == 3


def test_a_contrastive_experiment_takes_no_loss_of_a_teacher() -> None:
    with pytest.raises(ConfigInvalid, match="queue_contrast need a teacher, which the recipe xmodalvit has"):
        read_recipe(CONFIGS / "own_pairs.toml", ["student_training.losses.queue_contrast = 1.0"])
    read_recipe(CONFIGS / "own_pairs.toml", ["student_training.losses.queue_contrast = 0"])  # switched off


def test_a_teacher_takes_no_loss_of_students() -> None:
    with pytest.raises(ConfigInvalid, match="relational_distance need targets"):
        read_recipe(CONFIGS / "xmodalvit_best.toml", ["teacher_training.losses.relational_distance = 1.0"])


def test_a_recipe_without_a_teacher_says_so(tmp_path: Path) -> None:
    run = PairRun(read_recipe(CONFIGS / "own_pairs.toml"), Resources(tmp_path), tmp_path / "run")
    with pytest.raises(ConfigInvalid, match="contrastive trains no teacher"):
        train_teacher_of(run)
    without = read_recipe(CONFIGS / "xmodalvit_small.toml")
    assert isinstance(without, XModalConfig)
    with pytest.raises(ConfigInvalid, match=r"no \[teacher_training\]"):
        train_teacher_of(PairRun(without, Resources(tmp_path), tmp_path / "run"))
    assert not (tmp_path / "run").exists()


def test_tables_are_merged_and_lists_replaced() -> None:
    values = {"a": {"b": 1, "c": {"d": 2}}, "e": [1, 2], "f": 3}
    changes = {"a": {"c": {"x": 5}}, "e": [9], "f": {"g": 1}}
    merged = merge_tables(values, changes)
    assert merged == {"a": {"b": 1, "c": {"d": 2, "x": 5}}, "e": [9], "f": {"g": 1}}
    assert values == {"a": {"b": 1, "c": {"d": 2}}, "e": [1, 2], "f": 3}


def test_metrics_are_rewound_to_the_step_that_a_run_resumes_from(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path)
    first = Metrics(run, 0)
    for step in (5, 10, 15):
        first.add(step, {"total": float(step)})
    first.close()
    with run.metrics.open("a") as file:
        file.write('{"step": 20, "to')  # cut short by a kill
    again = Metrics(run, 10)
    again.add(15, {"total": -1.0})
    again.close()
    assert run.entries() == [{"step": 5, "total": 5.0}, {"step": 10, "total": 10.0}, {"step": 15, "total": -1.0}]


def test_the_environment_says_what_a_result_may_depend_on() -> None:
    known = environment()
    assert {"revision", "python", "torch", "platform", "cpus", "threads", "gpus", "command"} == set(known)
    assert known["revision"] is None or len(known["revision"].removesuffix("+changes")) == 40
    json.dumps(known)


def test_a_file_may_state_what_differs_from_another(tmp_path: Path) -> None:
    (tmp_path / "first.toml").write_text(
        "schema_version = 1\nseed = 1\nsizes = [1, 2]\n[plan]\nsteps = 5\nrate = 0.1\n"
    )
    (tmp_path / "second.toml").write_text('based_on = "first.toml"\nsizes = [3]\n[plan]\nsteps = 7\n')
    values = read_experiment(tmp_path / "second.toml", ("seed = 2",))
    assert values == {"schema_version": 1, "seed": 2, "sizes": [3], "plan": {"steps": 7, "rate": 0.1}}
    (tmp_path / "third.toml").write_text('based_on = "first.toml"\nplan = {}\n')
    assert read_experiment(tmp_path / "third.toml")["plan"] == {}
    (tmp_path / "mine.toml").write_text('based_on = "parts.toml"\n[batch]\npairs = 6\n')
    mine, shipped = read_experiment(tmp_path / "mine.toml"), read_experiment(CONFIGS / "parts.toml")
    assert mine == {**shipped, "batch": {**shipped["batch"], "pairs": 6}}
    (tmp_path / "circle.toml").write_text('based_on = "circle.toml"\n')
    with pytest.raises(ConfigInvalid, match="names itself"):
        read_experiment(tmp_path / "circle.toml")


@pytest.mark.parametrize("name", PARTS)
def test_every_file_of_parts_is_an_experiment_that_never_learns_standard_unseen_kinds(name: str) -> None:
    config = read_recipe(CONFIGS / f"{name}.toml")
    assert config.recipe == "parts"
    assert config.student_training.plan.publish == "last"
    final = name.endswith("_final")
    assert (config.model_dump()["kinds"]["learn_val"], bool(config.model_dump()["also"])) == (final, final)
