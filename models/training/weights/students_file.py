"""`students.pt`: the weights of a pair of students with the experiment that they belong to.

It is what a students' run publishes, what `inkseek bundle build` exports and what other runs start from or learn from.
`checkpoint.pt` beside it is another file: the state that a run resumes from (`models.training.engine.state`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from models.networks.protocol import StudentPair
from models.networks.student_forms import StudentFormUnknown, student_form
from models.training.engine.state import CheckpointInvalid, load_tensors, save_tensors

STUDENTS_NAME = "students.pt"


@dataclass(frozen=True)
class StudentsFile:
    """Averaged `weights` by parameter name after `step` steps. `experiment`: the configuration, as plain values."""

    step: int
    weights: Mapping[str, Tensor]
    experiment: Mapping[str, Any]

    @property
    def trim(self) -> bool:
        """Whether they were trained on trimmed photos; see `Preprocess`."""
        return bool(self.experiment.get("trim", False))

    def save(self, path: Path) -> None:
        """Replace the file at `path` atomically."""
        save_tensors(path, {"step": self.step, "averaged": dict(self.weights), "experiment": dict(self.experiment)})

    @classmethod
    def load(cls, path: Path) -> StudentsFile:
        """Read a file; nothing but tensors and plain values is unpickled. Raises CheckpointInvalid."""
        values = load_tensors(path)
        try:
            return cls(values["step"], values["averaged"], values["experiment"])
        except KeyError as error:
            state = " (it is the state that a run resumes from)" if "optimiser" in values else ""
            raise CheckpointInvalid(f"{path} holds no students{state}: give a run's {STUDENTS_NAME}") from error


def load_students(path: Path) -> tuple[StudentPair, StudentsFile]:
    """The students of a file in eval mode, and the file's content. Raises CheckpointInvalid."""
    saved = StudentsFile.load(path)
    try:
        students = build_students(saved.experiment)
        students.load_state_dict(dict(saved.weights))
    except (CheckpointInvalid, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise CheckpointInvalid(f"{path} holds students of another release: {reason}") from error
    return students.eval(), saved


def build_students(experiment: Mapping[str, Any]) -> StudentPair:
    """Students of the form that an experiment names, with random weights. Raises CheckpointInvalid."""
    try:
        return student_form(experiment).build()
    except StudentFormUnknown as error:
        raise CheckpointInvalid(str(error)) from error
