"""The part of an experiment that says what the students are and which losses they learn from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import Field, model_validator

from models.losses.inputs import Need
from models.losses.objective import LossTerms, Objective
from models.networks.grid_students import GridStudentConfig
from models.networks.student_forms import AnyStudentForm
from models.training.engine.config import Frozen, TrainingPlan
from models.training.pairs.config import PairExperiment

_SMALLEST_PX = 16  # a trunk halves the side four times

FROM_A_TEACHER = frozenset({Need.MATCHES, Need.QUEUES, Need.TARGETS})
"""What only a teacher's answers can give a student's loss."""


class StudentTraining(Frozen):
    """`losses`: see `models.losses.objective`. `queue_length`: how many of a teacher's keys a queue holds."""

    plan: TrainingPlan
    losses: LossTerms
    queue_length: int = Field(default=256, ge=1)

    @model_validator(mode="after")
    def _learns_something(self) -> StudentTraining:
        if not self.objective.terms:
            raise ValueError("no loss has a weight, so there is nothing to learn from")
        return self

    @property
    def objective(self) -> Objective:
        """The losses that have a weight."""
        return Objective.of(self.losses)

    @property
    def distilling(self) -> bool:
        """Whether any loss needs a teacher."""
        return bool(self.objective.needs & FROM_A_TEACHER)


class StudentExperiment(PairExperiment):
    """`student`: a form by its `form`, "grid" or "vit", and its settings.

    `published_student`: a file with published weights that the students' networks start from.
    """

    student: AnyStudentForm = GridStudentConfig()
    published_student: Path | None = None
    student_training: StudentTraining

    @model_validator(mode="after")
    def _sees_something(self) -> StudentExperiment:
        if self.student.size_px < _SMALLEST_PX:
            raise ValueError(f"students look at {self.student.size_px} px; {_SMALLEST_PX} are the least")
        return self

    @property
    def distilling(self) -> bool:
        """Whether any loss needs a teacher."""
        return self.student_training.distilling

    def described_teacher(self) -> dict[str, Any]:
        """What a run of this experiment's teacher is known by: all but what concerns the students alone."""
        own = StudentExperiment.model_fields.keys() - PairExperiment.model_fields.keys()
        return {name: value for name, value in self.described(task="teacher").items() if name not in own}
