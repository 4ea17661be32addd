from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest
import torch

from models.data.training_images import SetConfig
from models.evaluation.splits import ValidationSplit
from models.students import StudentConfig
from models.training.checkpoint import Checkpoint, CheckpointInvalid
from models.training.config import BatchConfig, ConfigInvalid, ExperimentConfig, OptimiserConfig
from models.training.contrastive import CHECKPOINT_NAME, Run, main, train
from models.training.schedule import rate_factor


def tiny(shapes_dir: Path, out: Path, steps: int = 6, **changes: object) -> Run:
    config = ExperimentConfig(
        about={},
        steps=steps,
        evaluate_every=100,
        checkpoint_every=100,
        cache_px=36,
        pretrained=False,
        student=StudentConfig(size_px=32, widths=(4, 8, 8), grid=2, channels=4),
        batch=BatchConfig(pairs=8, groups=2),
        optimiser=OptimiserConfig(warmup_steps=2, frozen_stages=0),
        sets=(SetConfig(folder="shapes", pool="shapes"),),
        validation=(ValidationSplit("val", "shapes", "val"),),
    )
    return Run(config, shapes_dir.parent, out, **changes)  # type: ignore[arg-type]


def weights(out: Path) -> dict[str, torch.Tensor]:
    return Checkpoint.load(out / CHECKPOINT_NAME).averaged


def test_a_run_that_was_stopped_ends_like_one_that_was_not(shapes_dir: Path, tmp_path: Path) -> None:
    train(tiny(shapes_dir, tmp_path / "whole"))
    train(tiny(shapes_dir, tmp_path / "parts", stop_after=4))
    train(tiny(shapes_dir, tmp_path / "parts"))
    whole, parts = weights(tmp_path / "whole"), weights(tmp_path / "parts")
    assert all(torch.equal(whole[name], parts[name]) for name in whole)
    first = Checkpoint.load(tmp_path / "whole" / CHECKPOINT_NAME)
    assert first.step == 6
    assert not torch.equal(first.students["sketch.head.project.weight"], whole["sketch.head.project.weight"])


def test_two_processes_compute_the_gradient_of_one(shapes_dir: Path, tmp_path: Path) -> None:
    train(tiny(shapes_dir, tmp_path / "one", steps=1))
    train(tiny(shapes_dir, tmp_path / "two", steps=1, processes=2))
    runs = tmp_path / "one", tmp_path / "two"
    logs = [[json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()] for run in runs]
    assert logs[0][0]["loss"] == pytest.approx(logs[1][0]["loss"], abs=1e-3)
    assert logs[0][1] == logs[1][1]
    # Adam's first moment after one step is a tenth of the gradient; bfloat16 and the order of sums blur it a little.
    moments = [Checkpoint.load(run / CHECKPOINT_NAME).optimiser["state"] for run in runs]
    for number, state in moments[0].items():
        one, two = state["exp_avg"], moments[1][number]["exp_avg"]
        assert torch.linalg.norm(one - two) <= 0.02 * torch.linalg.norm(one) + 1e-6


def test_a_checkpoint_of_other_students_is_refused(shapes_dir: Path, tmp_path: Path) -> None:
    run = tiny(shapes_dir, tmp_path / "run", steps=1)
    train(run)
    wider = run.config.model_copy(update={"student": StudentConfig(size_px=32, widths=(4, 8, 8), grid=1, channels=4)})
    with pytest.raises(CheckpointInvalid, match="another shape"):
        train(Run(wider, run.data, run.out))
    (run.out / CHECKPOINT_NAME).write_bytes(b"cut short")
    with pytest.raises(CheckpointInvalid, match="is no checkpoint"):
        train(run)


@pytest.mark.parametrize("text", ["steps = 3", "steps = [", "[about]\n[[sets]]\nfolder='x'\npool='x'\n[more]\n"])
def test_a_config_that_says_too_little_or_too_much(text: str, tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text(text)
    with pytest.raises(ConfigInvalid):
        ExperimentConfig.load(tmp_path / "bad.toml")


def test_the_command_says_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty.toml").write_text("steps = 1\nsets = [{folder='none', pool='x'}]\n[about]\n")
    code = main(["--config", str(tmp_path / "empty.toml"), "--data", str(tmp_path), "--out", str(tmp_path / "out")])
    assert code == 2
    assert "manifest.csv is not there" in capsys.readouterr().err


def test_every_shipped_experiment_can_be_read() -> None:
    files = sorted((Path(__file__).parents[3] / "models" / "configs").glob("first_*.toml"))
    assert files
    for file in files:
        about = ExperimentConfig.load(file).about
        assert {"source", "command", "hardware", "hours", "expected", "reached"} <= set(about)


def test_rate_warms_up_stays_and_decays_to_nothing() -> None:
    factors = [rate_factor(step, 100, 10, 0.3) for step in range(100)]
    assert factors[0] == pytest.approx(0.1)
    assert factors[9:70] == [1.0] * 61
    assert all(later < earlier for earlier, later in itertools.pairwise(factors[70:]))
    assert factors[-1] < 0.01
    # The plateau does not know how long the run is.
    assert factors[:70] == [rate_factor(step, 1000, 10, 0.3) for step in range(70)]
