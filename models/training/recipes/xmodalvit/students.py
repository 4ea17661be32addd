"""Distil the fused teacher into two students that see one modality each.

XMKD of XModalViT (BMVC 2022): XAQC pulls the sketch student to r_s(p, s) and the photo student to r_p(p, s), XMRD makes
their batches keep the teacher's distances and angles. Contrast between the two students, which needs no teacher, may
stand beside them; with every distilling weight at 0 it is the baseline of an ablation.
"""

from __future__ import annotations

from models.training.pairs.run import PairRun
from models.training.recipes.xmodalvit.config import XModalConfig
from models.training.recipes.xmodalvit.frozen_teachers import load_frozen, teacher_sha256
from models.training.students.train import TeacherLoader, train_students

FROZEN_TEACHERS = TeacherLoader(load_frozen, teacher_sha256)


def distill_students(run: PairRun[XModalConfig]) -> None:
    """Train, or resume, the students of `run.config`; the best weights go to `students.pt`.

    Before the first step it raises what `train_students` and `load_frozen` raise.
    """
    train_students(run, FROZEN_TEACHERS)
