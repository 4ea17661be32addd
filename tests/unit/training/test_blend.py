from __future__ import annotations

from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from models.cli.train import app
from models.training.engine.state import CheckpointInvalid
from models.training.weights.blend import average, blend, towards_pretrained
from models.training.weights.students_file import StudentsFile

LATE = {"sketch.trunk.conv1.weight": torch.tensor([1.0, 3.0]), "sketch.head.count": torch.tensor(7)}
EARLY = {"sketch.trunk.conv1.weight": torch.tensor([3.0, 3.0]), "sketch.head.count": torch.tensor(2)}


def test_a_blend_lies_on_the_line_between() -> None:
    mixed = blend(LATE, EARLY, 0.25)
    assert mixed["sketch.trunk.conv1.weight"].tolist() == [1.5, 3.0]
    assert int(mixed["sketch.head.count"]) == 7
    assert LATE["sketch.trunk.conv1.weight"].tolist() == [1.0, 3.0]


def test_only_trunks_move_towards_pretrained_weights() -> None:
    weights = {"photo.trunk.conv1.weight": torch.tensor([2.0]), "photo.head.project.weight": torch.tensor([5.0])}
    moved = towards_pretrained(weights, {"conv1.weight": torch.tensor([0.0])}, 0.5)
    assert {name: float(value) for name, value in moved.items()} == {
        "photo.trunk.conv1.weight": 1.0,
        "photo.head.project.weight": 5.0,
    }


@pytest.mark.parametrize("other", [{"other": torch.zeros(1)}, {**LATE, "sketch.head.count": torch.zeros(2)}])
def test_students_of_other_shapes_are_rejected(other: dict[str, torch.Tensor]) -> None:
    with pytest.raises(CheckpointInvalid, match="different shapes"):
        blend(LATE, other, 0.5)


def test_the_command_writes_students_that_can_be_exported(tmp_path: Path) -> None:
    for name, weights in (("late", LATE), ("early", EARLY)):
        StudentsFile(5, weights, {"seed": 0}).save(tmp_path / f"{name}.pt")
    words = ["blend", "--students", str(tmp_path / "late.pt"), "--early", str(tmp_path / "early.pt")]
    words += ["--pretrained-share", "0", "--early-share", "0.5", "--out", str(tmp_path / "out.pt")]
    assert CliRunner().invoke(app, words).exit_code == 0
    written = StudentsFile.load(tmp_path / "out.pt")
    assert written.weights["sketch.trunk.conv1.weight"].tolist() == [2.0, 3.0]
    assert (written.step, written.experiment) == (5, {"seed": 0})
    (tmp_path / "early.pt").unlink()
    failed = CliRunner().invoke(app, words)
    assert failed.exit_code == 1
    assert "CheckpointInvalid" in failed.stderr
    assert CliRunner().invoke(app, [*words, "--early-share", "1.5"]).exit_code == 2


def _saved(folder: Path, *values: float) -> list[str]:
    files = []
    for number, value in enumerate(values):
        weights = {"sketch.trunk.conv1.weight": torch.tensor([value, 3.0]), "sketch.head.count": torch.tensor(number)}
        StudentsFile(number, weights, {"seed": number}).save(folder / f"{number}.pt")
        files.append(str(folder / f"{number}.pt"))
    return files


def test_runs_are_averaged_with_equal_weights(tmp_path: Path) -> None:
    mean = average([Path(file) for file in _saved(tmp_path, 1.0, 2.0, 6.0)])
    assert mean.weights["sketch.trunk.conv1.weight"].tolist() == pytest.approx([3.0, 3.0])
    assert (mean.step, mean.experiment, int(mean.weights["sketch.head.count"])) == (0, {"seed": 0}, 0)


def test_the_command_averages_runs(tmp_path: Path) -> None:
    files, out = _saved(tmp_path, 1.0, 2.0), tmp_path / "mean.pt"
    assert CliRunner().invoke(app, ["average", *files, "--out", str(out)]).exit_code == 0
    assert StudentsFile.load(out).weights["sketch.trunk.conv1.weight"].tolist() == [1.5, 3.0]
    assert CliRunner().invoke(app, ["average", files[0], "--out", str(out)]).exit_code == 2
    StudentsFile(1, {"other": torch.zeros(1)}, {}).save(tmp_path / "1.pt")
    failed = CliRunner().invoke(app, ["average", *files, "--out", str(out)])
    assert failed.exit_code == 1
    assert "different shapes" in failed.stderr
    assert StudentsFile.load(out).weights["sketch.trunk.conv1.weight"].tolist() == [1.5, 3.0]
