from __future__ import annotations

from pathlib import Path

import pytest
import torch

from models.training.engine.checkpoint import Checkpoint, CheckpointInvalid
from models.training.weights.blend import blend, main, towards_pretrained

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


def test_students_of_other_shapes_are_refused() -> None:
    with pytest.raises(CheckpointInvalid, match="different shapes"):
        blend(LATE, {"other": torch.zeros(1)}, 0.5)


def test_the_command_writes_a_checkpoint_that_can_be_exported(tmp_path: Path) -> None:
    for name, state in (("late", LATE), ("early", EARLY)):
        Checkpoint(5, state, state, {"lr": 1}, {"seed": 0}).save(tmp_path / f"{name}.pt")
    given = [
        "--checkpoint",
        str(tmp_path / "late.pt"),
        "--early",
        str(tmp_path / "early.pt"),
        "--pretrained-share",
        "0",
    ]
    assert main([*given, "--early-share", "0.5", "--out", str(tmp_path / "out.pt")]) == 0
    written = Checkpoint.load(tmp_path / "out.pt")
    assert written.averaged["sketch.trunk.conv1.weight"].tolist() == [2.0, 3.0]
    assert (written.step, written.optimiser, written.experiment) == (5, {}, {"seed": 0})
    (tmp_path / "early.pt").unlink()
    assert main([*given, "--out", str(tmp_path / "out.pt")]) == 2
