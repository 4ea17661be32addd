"""Students as a checkpoint holds them, of whichever form."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from models.networks.grid_students import StudentConfig, Students
from models.networks.vit_students import VitStudentConfig, VitStudents
from models.training.engine.checkpoint import Checkpoint, CheckpointInvalid

_GRID, _VIT = TypeAdapter(StudentConfig), TypeAdapter(VitStudentConfig)


def load_students(path: Path) -> tuple[Students | VitStudents, Checkpoint]:
    """The averaged students of a checkpoint in eval mode, and the checkpoint. Raises CheckpointInvalid."""
    saved = Checkpoint.load(path)
    try:
        students = build_students(saved.experiment)
        students.load_state_dict(saved.averaged)
    except (CheckpointInvalid, RuntimeError) as error:
        raise CheckpointInvalid(f"{path} holds students of another release: {error}") from error
    return students.eval(), saved


def build_students(experiment: Mapping[str, Any]) -> Students | VitStudents:
    """Students of the form that an experiment names, with random weights. Raises CheckpointInvalid."""
    try:
        return _built(experiment)
    except ValidationError as error:
        raise CheckpointInvalid(f"the experiment names no students of this release: {error}") from error


def _built(experiment: Mapping[str, Any]) -> Students | VitStudents:
    if experiment.get("vit_student"):
        return VitStudents(_VIT.validate_python(experiment["vit_student"]))
    return Students(_GRID.validate_python(experiment.get("student")))
