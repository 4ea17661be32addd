"""A run that trains a pair of students, from the checks before its first step to its last."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from models.errors import InkseekError
from models.losses.inputs import Need
from models.losses.objective import Objective
from models.networks.frozen import FrozenNetwork
from models.networks.preprocessing import IMAGENET
from models.networks.protocol import StudentPair
from models.training.engine.config import ConfigInvalid
from models.training.engine.loop import Fit
from models.training.engine.processes import Process, to_device
from models.training.engine.run_directory import RunDirectory
from models.training.pairs.run import PairRun
from models.training.students.config import StudentExperiment
from models.training.students.task import Distillation, StudentsTask, offered_needs
from models.training.weights.start import (
    freeze_stages,
    start_from_imagenet,
    start_from_published,
    start_from_students,
)


class TeacherMissing(InkseekError):
    """The students' losses need a teacher and none was given."""


@dataclass(frozen=True)
class TeacherLoader:
    """How a recipe opens a teacher, and the hash of its weights, which the run is known by."""

    load: Callable[[Path], FrozenNetwork]
    sha256: Callable[[Path], str]


def train_students(run: PairRun[StudentExperiment], teachers: TeacherLoader | None = None) -> None:
    """Train, or resume, the students of `run.config`; the best weights go to `students.pt`, a `StudentsFile`.

    `teachers`: None where the recipe has none. Before the first step it raises TeacherMissing, ConfigInvalid, and what
    `teachers.load`, `start_from_students`, `RunDirectory.open`, `PairRun.prepare` and `PairRun.launch` raise.
    """
    training = run.config.student_training
    students = run.config.student.build()
    hashes: dict[str, str | None] = {"teacher_sha256": None, "start_sha256": None}
    if training.distilling:
        if run.teacher is None or teachers is None:
            raise TeacherMissing("these losses need a teacher: give --teacher RUN, or set their weights to 0")
        if students.config.statistics != IMAGENET:
            raise ConfigInvalid("teachers see images normalised by ImageNet's statistics, and these students do not")
        # Loaded only to fail before the run's directory is written; each process loads its own later.
        teachers.load(run.teacher)
        hashes["teacher_sha256"] = teachers.sha256(run.teacher)
    _require_parts(training.objective, students)
    lacking = training.objective.needs - offered_needs(students, with_teacher=training.distilling)
    if lacking:
        names = ", ".join(training.objective.needing(lacking))
        raise ConfigInvalid(f"{names} need {', '.join(sorted(lacking))}, which this form of students or data has not")
    if run.config.published_student is not None:
        start_from_published(students, run.config.published_student)
    if run.start is not None:
        start_from_students(students, run.start)
        hashes["start_sha256"] = hashlib.sha256(run.start.read_bytes()).hexdigest()
    RunDirectory.open(run.out, run.config.described(task="students", **hashes), run.config.normalised)
    run.prepare(students)
    run.launch(partial(_train_rank, run, teachers))


def _require_parts(objective: Objective, students: StudentPair) -> None:
    for name, term in objective.terms.items():
        if term.part is not None and term.part not in students.parts:
            known = ", ".join(students.parts)
            raise ConfigInvalid(f"{name} looks at the part {term.part!r}; these students have {known}")


def _train_rank(run: PairRun[StudentExperiment], teachers: TeacherLoader | None, process: Process) -> None:
    config, training = run.config, run.config.student_training
    torch.manual_seed(config.seed)
    teacher = None
    if training.distilling and run.teacher is not None and teachers is not None:
        teacher = teachers.load(run.teacher)
    students = config.student.build()
    width = teacher.embedding_dim if teacher else students.config.embedding_dim
    module = Distillation(students, width)
    # From the general to the particular, since each start overwrites the one before it.
    if config.pretrained and run.start is None:
        start_from_imagenet(students, run.pretrained)
    if config.published_student is not None:
        start_from_published(students, config.published_student)
    if run.start is not None:
        start_from_students(students, run.start)
    freeze_stages(students, training.plan.frozen_stages)
    for part in (module, teacher):
        if part is not None:
            to_device(part, process)
    task = StudentsTask(config, module, teacher, run.galleries(), process)
    two_sketches = Need.SECOND_SKETCHES in task.objective.needs
    statistics = students.config.statistics
    batches = run.batches(task.sizes, process, two_sketches=two_sketches, statistics=statistics)
    folder = RunDirectory(run.out)
    Fit(task, training.plan, batches, folder, process, run.resources.workers, run.stop_after, run.keep).fit()
