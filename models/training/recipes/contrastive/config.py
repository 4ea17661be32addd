"""One contrastive experiment as a frozen value."""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator

from models.training.students.config import FROM_A_TEACHER, StudentExperiment


class ContrastiveConfig(StudentExperiment):
    """Students that learn from pairs alone; a loss that needs a teacher is rejected."""

    recipe: Literal["contrastive"] = "contrastive"

    @model_validator(mode="after")
    def _without_a_teacher(self) -> ContrastiveConfig:
        distilling = self.student_training.objective.needing(FROM_A_TEACHER)
        if distilling:
            raise ValueError(f"{', '.join(distilling)} need a teacher, which the recipe xmodalvit has")
        return self
