"""One XModalViT experiment as a frozen value: teacher, students, and how each is trained."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from models.losses.inputs import Need
from models.losses.objective import LossTerms, Objective
from models.networks.fused_teacher import TeacherConfig
from models.training.engine.config import ConfigInvalid, Frozen, TrainingPlan
from models.training.students.config import StudentExperiment

_OF_A_TEACHER = frozenset({Need.MATCHES, Need.QUEUES})


class TeacherTraining(Frozen):
    """`losses` between r_p(p, a), the photo side, and r_s(p, b), the sketch side; a is not b where there are two.

    `queue_contrast`: r_p(p, a) is to find r_s(p, b) among `queue_length` earlier keys. `info_nce` contrasts within the
    batch; on `part = "grid"` it looks at the layouts alone. Fused vectors of a pair both know the photo, so telling
    pairs apart is easy for them; grids know their own image alone.
    """

    plan: TrainingPlan
    losses: LossTerms
    queue_length: int = Field(default=128, ge=1)
    temperature: float = Field(default=0.07, gt=0)
    """Of the validation loss."""

    @property
    def objective(self) -> Objective:
        """The losses that have a weight."""
        return Objective.of(self.losses)

    @model_validator(mode="after")
    def _offered(self) -> TeacherTraining:
        lacking = self.objective.needs - _OF_A_TEACHER
        if lacking:
            names = self.objective.needing(lacking)
            raise ValueError(f"{', '.join(names)} need {', '.join(sorted(lacking))}, which a teacher's batch has not")
        return self


class XModalConfig(StudentExperiment):
    """`teacher_training`: None where no teacher is trained.

    `published`: a file with a ViT's published weights for the teacher's encoders.
    """

    recipe: Literal["xmodalvit"] = "xmodalvit"
    published: Path | None = None
    teacher: TeacherConfig = TeacherConfig()
    teacher_training: TeacherTraining | None = None

    def require_teacher(self) -> TeacherTraining:
        """How the teacher is trained. Raises ConfigInvalid where none is."""
        if self.teacher_training is None:
            raise ConfigInvalid("this experiment trains no teacher: it has no [teacher_training]")
        return self.teacher_training
