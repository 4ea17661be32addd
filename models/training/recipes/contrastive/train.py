"""Train students by contrast."""

from __future__ import annotations

from models.training.pairs.run import PairRun
from models.training.recipes.contrastive.config import ContrastiveConfig
from models.training.students.train import train_students


def train_contrastive(run: PairRun[ContrastiveConfig]) -> None:
    """Train, or resume, the students of `run.config`; the best weights go to `students.pt`.

    Raises what `train_students` raises, before the first step.
    """
    train_students(run)
