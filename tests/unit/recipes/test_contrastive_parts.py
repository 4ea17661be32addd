"""Students of two parts, each learned from a loss of its own: the layout from pairs, the kind from categories."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

from models.data.images.training_sets import SetConfig
from models.evaluation.splits import ValidationSplit
from models.losses.objective import loss_terms
from models.networks.part_students import PartStudentConfig
from models.training.engine.config import ConfigInvalid, TrainingPlan
from models.training.engine.state import RunState
from models.training.pairs.config import BatchConfig
from models.training.pairs.run import PairRun, Resources
from models.training.recipes.contrastive.config import ContrastiveConfig
from models.training.recipes.contrastive.train import train_contrastive
from models.training.students.config import StudentTraining
from models.training.weights.students_file import STUDENTS_NAME, load_students
from models.training.weights.torch_encoders import TorchPair

FORM = PartStudentConfig(size_px=32, width=0.1, depth=0.4, grid=2, channels=3, kind_dim=4)
ON_LAYOUT = {"weight": 1.0, "part": "layout"}
ON_KIND = {"weight": 1.0, "part": "kind"}


def experiment(**losses: Mapping[str, Any]) -> ContrastiveConfig:
    plan = TrainingPlan(steps=2, rate=1e-3, evaluate_every=2, checkpoint_every=1, ema_decay=0.5, frozen_stages=1)
    return ContrastiveConfig(
        about={},
        cache_px=32,
        pretrained=False,
        student=FORM,
        batch=BatchConfig(pairs=8, groups=2),
        sets=(SetConfig(folder="outlines", pool="own", synthetic=False),),
        validation=(ValidationSplit("val", "outlines", "val"),),
        student_training=StudentTraining(plan=plan, losses=loss_terms(**losses)),
    )


def test_two_steps_move_both_parts_and_a_killed_run_ends_alike(outlines_dir: Path, tmp_path: Path) -> None:
    config, resources = experiment(info_nce=ON_LAYOUT, kind_contrast=ON_KIND), Resources(outlines_dir, device="cpu")
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    train_contrastive(PairRun(config, resources, whole))
    train_contrastive(PairRun(config, resources, killed, stop_after=1))
    first = RunState.load(killed / "checkpoint.pt").module
    train_contrastive(PairRun(config, resources, killed))
    ends = [RunState.load(run / "checkpoint.pt").module for run in (whole, killed)]
    assert all(torch.equal(value, ends[1][name]) for name, value in ends[0].items())
    changed = {name for name, value in ends[0].items() if not torch.equal(value, first[name])}
    for part in ("layout", "kind"):
        assert f"students.photo.head.{part}.project.weight" in changed
    assert "students.photo.trunk.stem.conv.weight" not in changed  # frozen
    assert "students.photo.trunk.blocks.9.project.conv.weight" in changed
    students, _ = load_students(whole / STUDENTS_NAME)
    assert students.config == FORM
    assert TorchPair.load(whole / STUDENTS_NAME).parts == FORM.embedding_parts


def test_losses_that_the_form_or_the_recipe_cannot_serve_are_rejected(outlines_dir: Path, tmp_path: Path) -> None:
    resources = Resources(outlines_dir, device="cpu")
    for losses, reason in (
        ({"info_nce": {"weight": 1.0, "part": "grid"}}, "these students have layout, kind"),
        ({"kind_prototypes": ON_KIND}, "need prototypes"),
    ):
        with pytest.raises(ConfigInvalid, match=reason):
            train_contrastive(PairRun(experiment(**losses), resources, tmp_path / "run"))
