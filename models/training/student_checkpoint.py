"""Students as a checkpoint holds them, of whichever form."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from models.students import StudentConfig, Students
from models.training.checkpoint import Checkpoint, CheckpointInvalid
from models.vit_students import VitStudentConfig, VitStudents

_GRID, _VIT = TypeAdapter(StudentConfig), TypeAdapter(VitStudentConfig)


def load_students(path: Path) -> tuple[Students | VitStudents, Checkpoint]:
    """The averaged students of a checkpoint in eval mode, and the checkpoint. Raises CheckpointInvalid."""
    saved = Checkpoint.load(path)
    try:
        students = _built(saved.experiment)
        students.load_state_dict(saved.averaged)
    except (ValidationError, RuntimeError) as error:
        raise CheckpointInvalid(f"{path} holds students of another release: {error}") from error
    return students.eval(), saved


def _built(experiment: dict[str, Any]) -> Students | VitStudents:
    if experiment.get("vit_student"):
        return VitStudents(_VIT.validate_python(experiment["vit_student"]))
    return Students(_GRID.validate_python(experiment.get("student")))
