from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

import models
from models.data.datasets import SplitMissing
from models.export.build import Release, build_bundle
from models.networks.vit import Vit
from models.training.engine.run_directory import RunMismatch
from models.training.engine.state import CheckpointInvalid, RunState, load_tensors
from models.training.pairs.run import PairRun, Resources
from models.training.recipes.xmodalvit.config import XModalConfig
from models.training.recipes.xmodalvit.students import distill_students
from models.training.recipes.xmodalvit.teacher import TEACHER_NAME, load_teacher, train_teacher
from models.training.students.train import TeacherMissing
from models.training.weights.students_file import STUDENTS_NAME

Experiment = Callable[..., XModalConfig]
GRID_STUDENT = {"form": "grid", "size_px": 32, "widths": [4, 8], "grid": 2, "channels": 3}
ALONE = {"queue_contrast": 0.0, "relational_distance": 0.0, "relational_angle": 0.0}

GRID_CONTRAST = {"loss": "info_nce", "part": "grid", "weight": 1.0}


def metrics(folder: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return all(torch.equal(value, other[name]) for name, value in one.items())


@pytest.fixture
def teacher_dir(outlines_dir: Path, experiment: Experiment, tmp_path: Path) -> Path:
    train_teacher(PairRun(experiment(), Resources(outlines_dir), tmp_path / "teacher"))
    return tmp_path / "teacher"


def test_a_teacher_run_leaves_all_that_a_result_rests_on(teacher_dir: Path) -> None:
    config = json.loads((teacher_dir / "config.json").read_text())
    assert config["task"] == "teacher"
    assert config["teacher_training"]["plan"]["steps"] == 4
    environment = json.loads((teacher_dir / "environment.json").read_text())
    assert environment["torch"] == torch.__version__
    assert "revision" in environment
    entries = metrics(teacher_dir)
    assert {"queue_contrast", "queue_contrast/accuracy", "total"} < set(entries[-2])
    assert {"outlines/fused@1", "outlines/loss", "score"} < set(entries[-1])
    assert list((teacher_dir / "tensorboard").iterdir())
    frozen = load_teacher(teacher_dir)
    assert not any(parameter.requires_grad for parameter in frozen.parameters())
    assert set(load_tensors(teacher_dir / TEACHER_NAME)) == {"teacher", "experiment", "step"}


def test_a_killed_teacher_goes_on_to_the_same_end(
    outlines_dir: Path, experiment: Experiment, teacher_dir: Path, tmp_path: Path
) -> None:
    for stop in (1, 3, None):
        train_teacher(PairRun(experiment(), Resources(outlines_dir), tmp_path / "killed", stop_after=stop))
        if stop:  # what a kill leaves: entries after the last checkpoint, the last one cut short
            with (tmp_path / "killed" / "metrics.jsonl").open("a") as file:
                file.write('{"step": 4, "total": 9.0}\n{"step": 4, "sc')
    whole, parts = (RunState.load(folder / "checkpoint.pt") for folder in (teacher_dir, tmp_path / "killed"))
    assert whole.step == parts.step == 4
    assert same(whole.module, parts.module)
    assert same(whole.averaged, parts.averaged)
    assert torch.equal(whole.memory["r_s"]["keys"], parts.memory["r_s"]["keys"])
    assert whole.memory["r_s"]["pointer"] == parts.memory["r_s"]["pointer"] == 16 % 5
    assert metrics(teacher_dir) == metrics(tmp_path / "killed")


def test_paper_students_learn_from_the_teacher_and_resume(
    outlines_dir: Path, experiment: Experiment, teacher_dir: Path, tmp_path: Path
) -> None:
    for out, stops in (("whole", (None,)), ("killed", (2, None))):
        for stop in stops:
            run = PairRun(experiment(), Resources(outlines_dir), tmp_path / out, teacher=teacher_dir, stop_after=stop)
            distill_students(run)
    whole, parts = (RunState.load(tmp_path / out / "checkpoint.pt") for out in ("whole", "killed"))
    assert same(whole.module, parts.module)
    assert metrics(tmp_path / "whole") == metrics(tmp_path / "killed")
    entries = metrics(tmp_path / "whole")
    assert {"queue_contrast", "relational_distance", "relational_angle", "total"} < set(entries[-2])
    assert {"outlines@1", "outlines@10", "score"} < set(entries[-1])


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")  # of torch's own exporter
def test_grid_students_and_teacher_of_other_widths(outlines_dir: Path, experiment: Experiment, tmp_path: Path) -> None:
    config = experiment(
        teacher={"grid": 2, "channels": 3, "encoder": {"widths": [4, 8], "grid": 4}},
        student=GRID_STUDENT,
        teacher_training={"losses": {"info_nce": 1.0, "grid_info_nce": GRID_CONTRAST}},
        student_training={"losses": {"info_nce": 1.0}},
    )
    train_teacher(PairRun(config, Resources(outlines_dir), tmp_path / "teacher"))
    assert {"info_nce", "grid_info_nce"} < set(metrics(tmp_path / "teacher")[-2])
    assert "outlines/grid@1" in metrics(tmp_path / "teacher")[-1]
    distill_students(PairRun(config, Resources(outlines_dir), tmp_path / "students", teacher=tmp_path / "teacher"))
    # Their best weights are what `build_bundle` takes, without the maps to the teacher's width.
    (tmp_path / "card.md").write_text("# Outlines\n\n{figures}\n")
    bundle = build_bundle(
        Release(
            tmp_path / "students" / STUDENTS_NAME,
            tmp_path / "card.md",
            outlines_dir,
            tmp_path / "bundle",
            "tiny",
            min_accuracy=0.0,
        )
    )
    assert bundle.embedding_dim == 2 * 2 * 3
    best = RunState.load(tmp_path / "students" / "checkpoint.pt").best_step
    figures = next(entry for entry in metrics(tmp_path / "students") if entry["step"] == best and "score" in entry)
    # One of the eight drawings may fall the other way: while training, cells are computed in bfloat16.
    exported = bundle.manifest.metrics["splits"]["outlines"]["acc_at_1"] * 100
    assert exported == pytest.approx(figures["outlines@1"], abs=12.6)


@pytest.mark.parametrize("loss", ["info_nce", "triplet"])
def test_students_without_a_teacher(loss: str, outlines_dir: Path, experiment: Experiment, tmp_path: Path) -> None:
    config = experiment(student_training={"losses": {**ALONE, loss: 1.0}})
    distill_students(PairRun(config, Resources(outlines_dir), tmp_path / "alone"))
    assert set(metrics(tmp_path / "alone")[-2]) >= {"step", "total", loss}


def test_students_that_need_a_teacher_say_so(outlines_dir: Path, experiment: Experiment, tmp_path: Path) -> None:
    with pytest.raises(TeacherMissing, match="--teacher"):
        distill_students(PairRun(experiment(), Resources(outlines_dir), tmp_path / "none"))
    assert not (tmp_path / "none").exists()


def test_accumulated_batches_are_one_step(outlines_dir: Path, experiment: Experiment, tmp_path: Path) -> None:
    plan = {"accumulate": 3, "steps": 2}
    train_teacher(PairRun(experiment(teacher_training={"plan": plan}), Resources(outlines_dir), tmp_path / "run"))
    state = RunState.load(tmp_path / "run" / "checkpoint.pt")
    assert state.step == 2
    assert state.memory["r_s"]["pointer"] == 2 * 3 * 4 % 5  # every one of the six batches was pushed


def test_a_run_without_progress_ends_early(outlines_dir: Path, experiment: Experiment, tmp_path: Path) -> None:
    plan = {"rate": 0.0, "steps": 50, "evaluate_every": 1, "patience": 2, "ema_decay": 0.0}
    run = PairRun(experiment(teacher_training={"plan": plan}), Resources(outlines_dir), tmp_path / "run")
    train_teacher(run)
    state = RunState.load(tmp_path / "run" / "checkpoint.pt")
    assert (state.step, state.best_step, state.stale) == (3, 1, 2)
    train_teacher(run)  # and stays ended
    assert RunState.load(tmp_path / "run" / "checkpoint.pt").step == 3


def test_another_experiment_in_the_same_directory_is_refused(
    outlines_dir: Path, experiment: Experiment, teacher_dir: Path
) -> None:
    with pytest.raises(RunMismatch, match="another seed"):
        train_teacher(PairRun(experiment(seed=1), Resources(outlines_dir), teacher_dir))


def test_an_experiment_reads_the_same_in_every_process() -> None:
    """Python orders a set by hashes that each process draws anew; a run that goes on compares the experiment's text."""
    code = """if True:
        from pathlib import Path
        from models.training.recipes.xmodalvit.config import XModalConfig
        for path in sorted(Path("models/configs").glob("xmodalvit_*.toml")):
            print(XModalConfig.load(path).model_dump_json())"""
    texts = [
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            cwd=Path(models.__path__[0]).parent,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert '"exclude":["1f302",' in texts[0]
    assert texts[0] == texts[1]


@pytest.mark.timeout(400)  # four processes import torch; on a busy machine that alone takes minutes
def test_two_processes_compute_what_one_does(
    outlines_dir: Path, experiment: Experiment, teacher_dir: Path, tmp_path: Path
) -> None:
    changes: dict[str, Any] = {
        "teacher": {"grid": 2, "channels": 3},
        "teacher_training": {"losses": {"grid_info_nce": GRID_CONTRAST}, "plan": {"optimiser": "adam", "steps": 2}},
        "bf16": False,
    }
    for processes in (1, 2):
        out = tmp_path / f"teacher{processes}"
        train_teacher(PairRun(experiment(**changes), Resources(outlines_dir, processes=processes), out))
        students = experiment(**changes, student_training={"losses": {"info_nce": 1.0}, "plan": {"steps": 2}})
        out = tmp_path / f"students{processes}"
        distill_students(PairRun(students, Resources(outlines_dir, processes=processes), out, teacher=teacher_dir))
    for name in ("teacher", "students"):
        one, two = (RunState.load(tmp_path / f"{name}{n}" / "checkpoint.pt") for n in (1, 2))
        # Running means of the gradients: weights that have none (the keys' biases) follow rounding alone under Adam.
        for number, moments in one.optimiser["state"].items():
            other = two.optimiser["state"][number]["exp_avg"]
            assert torch.allclose(moments["exp_avg"], other, rtol=1e-3, atol=1e-6), f"{name}: parameter {number}"
        figures = [metrics(tmp_path / f"{name}{n}")[-1] for n in (1, 2)]
        assert figures[0] == pytest.approx(figures[1], abs=0.02)


def test_the_paper_s_losses_reach_every_weight(outlines_dir: Path, experiment: Experiment, tmp_path: Path) -> None:
    plan = {"steps": 1, "ema_decay": 0.0, "optimiser": "adam"}
    for steps, out in ((1, "one"), (3, "three")):
        config = experiment(teacher_training={"plan": {**plan, "steps": steps}})
        train_teacher(PairRun(config, Resources(outlines_dir), tmp_path / out))
    early, late = (RunState.load(tmp_path / out / "checkpoint.pt").module for out in ("one", "three"))
    still = [name for name, value in early.items() if torch.equal(value, late[name])]
    assert not still


def test_another_teacher_in_the_same_run_is_refused(
    outlines_dir: Path, experiment: Experiment, teacher_dir: Path, tmp_path: Path
) -> None:
    run = PairRun(experiment(), Resources(outlines_dir), tmp_path / "run", teacher=teacher_dir, stop_after=1)
    distill_students(run)
    train_teacher(PairRun(experiment(seed=1), Resources(outlines_dir), tmp_path / "other"))
    with pytest.raises(RunMismatch, match="teacher_sha256"):
        distill_students(replace(run, teacher=tmp_path / "other"))
    with pytest.raises(CheckpointInvalid, match=r"teacher\.pt does not exist"):
        distill_students(replace(run, teacher=tmp_path / "run"))


def test_published_weights_are_where_a_teacher_starts(
    outlines_dir: Path, experiment: Experiment, tmp_path: Path
) -> None:
    config = experiment(published=tmp_path / "vit.pth", teacher_training={"plan": {"steps": 1, "rate": 0.0}})
    torch.manual_seed(5)
    published = Vit(config.teacher.encoder).state_dict()
    torch.save({**published, "head.weight": torch.zeros(10, 12), "head.bias": torch.zeros(10)}, tmp_path / "vit.pth")
    train_teacher(PairRun(config, Resources(outlines_dir), tmp_path / "run"))
    teacher = load_teacher(tmp_path / "run").teacher
    assert same(published, dict(teacher.photo_encoder.state_dict()))
    assert same(published, dict(teacher.sketch_encoder.state_dict()))


def test_pretrained_trunks_learn_at_their_own_rate(outlines_dir: Path, experiment: Experiment, tmp_path: Path) -> None:
    states = []
    for steps in (1, 3):
        config = experiment(
            teacher={"encoder": {"widths": [4, 8], "grid": 4}},
            teacher_training={"plan": {"steps": steps, "rate": 0.0, "new_rate": 1e-3, "ema_decay": 0.0}},
        )
        train_teacher(PairRun(config, Resources(outlines_dir), tmp_path / str(steps)))
        states.append(load_teacher(tmp_path / str(steps)).teacher.state_dict())
    still = {name for name, value in states[0].items() if torch.equal(value, states[1][name])}
    assert still == {name for name in states[0] if ".backbone." in name}


def test_a_run_that_never_began_gives_way(outlines_dir: Path, experiment: Experiment, tmp_path: Path) -> None:
    wrong = experiment(sets=[{"folder": "outlines", "pool": "own", "split": "nothing"}])
    with pytest.raises(SplitMissing):
        train_teacher(PairRun(wrong, Resources(outlines_dir), tmp_path / "run"))
    train_teacher(PairRun(experiment(), Resources(outlines_dir), tmp_path / "run"))
