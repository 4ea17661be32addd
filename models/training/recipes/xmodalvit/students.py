"""Distil the fused teacher into two students that see one modality each; or train them without a teacher.

XMKD of XModalViT (BMVC 2022): XAQC pulls the sketch student to r_s(p, s) and the photo student to r_p(p, s), XMRD makes
their batches keep the teacher's distances and angles. InfoNCE and the triplet loss need no teacher: alone they are the
baselines, beside the others they let the two students meet directly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from models.errors import InkseekError
from models.evaluation.protocol import CategoryGallery
from models.losses.embedding_match import embedding_match
from models.losses.info_nce import centred_info_nce, info_nce
from models.losses.queue_contrast import KeyQueue, queue_contrast
from models.losses.relational_distillation import relational_angle, relational_distance
from models.losses.triplet import triplet
from models.networks.fused_teacher import Targets
from models.networks.protocol import StudentPair
from models.training.engine.distributed import gather_cells, sum_gradients
from models.training.engine.loop import Fit, Verdict
from models.training.engine.pair_batches import PairBatch
from models.training.engine.placement import Place
from models.training.engine.run_directory import RunDirectory
from models.training.engine.validation import validate
from models.training.recipes.xmodalvit.config import XModalConfig
from models.training.recipes.xmodalvit.experiment import XModalRun
from models.training.recipes.xmodalvit.frozen_teachers import Frozen, load_frozen, weights_sha256
from models.training.weights.start import (
    freeze_stages,
    start_from_imagenet,
    start_from_published,
    start_from_students,
)
from models.training.weights.students_file import STUDENTS_NAME, StudentsFile


class TeacherMissing(InkseekError):
    """The students' losses need a teacher and none was given."""


def distill_students(run: XModalRun) -> None:
    """Train, or go on with, the students of `run.config`; the best weights go to `students.pt`.

    That file is a `StudentsFile`, which `models.export.build_bundle` turns into a bundle. Before the first
    step it raises TeacherMissing, and what `load_frozen`, `start_from_students`, `RunDirectory.open`,
    `XModalRun.prepare` and `XModalRun.launch` raise.
    """
    experiment = {
        "task": "students",
        "teacher_sha256": None,
        "start_sha256": None,
        **run.config.model_dump(mode="json"),
    }
    if run.config.student_training.distilling:
        if run.teacher is None:
            raise TeacherMissing("these losses need a teacher: give --teacher RUN, or set their weights to 0")
        load_frozen(run.teacher)
        experiment["teacher_sha256"] = weights_sha256(run.teacher)
    if run.start is not None:
        start_from_students(run.config.build_students(), run.start)
        experiment["start_sha256"] = weights_sha256(run.start)
    RunDirectory.open(run.out, experiment)
    run.prepare()
    run.launch(partial(_train_rank, run))


class Distillation(nn.Module):
    """What learns: the students, and maps from their embeddings to the teacher's width where the widths differ."""

    def __init__(self, students: StudentPair, width: int) -> None:
        """`width` of the teacher's targets; the maps are left behind when the students are published."""
        super().__init__()
        self.students = students
        own = students.config.embedding_dim
        self.sketch_to_teacher = nn.Identity() if own == width else nn.Linear(own, width)
        self.photo_to_teacher = nn.Identity() if own == width else nn.Linear(own, width)


def _train_rank(run: XModalRun, place: Place) -> None:
    config = run.config
    torch.manual_seed(config.seed)
    teacher = load_frozen(run.teacher) if run.teacher and config.student_training.distilling else None
    students = config.build_students()
    width = teacher.embedding_dim if teacher else students.config.embedding_dim
    module = Distillation(students, width)
    if config.pretrained and run.start is None:
        start_from_imagenet(students, run.pretrained)
    if config.published_student is not None:
        start_from_published(students, config.published_student)
    if run.start is not None:
        start_from_students(students, run.start)
    plan = config.student_training.plan
    freeze_stages(students, plan.frozen_stages)
    for part in (module, teacher):
        if part is not None:
            part.to(place.device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    task = StudentsTask(config, module, teacher, run.galleries(), place)
    batches = run.batches(task.sizes, place, two_sketches=bool(config.student_training.angle))
    folder = RunDirectory(run.out)
    Fit(task, plan, batches, folder, place, run.resources.workers, run.stop_after, run.keep).fit()


class StudentsTask:
    """The students, a queue for each, and their loss; see `Task`."""

    def __init__(
        self,
        config: XModalConfig,
        module: Distillation,
        teacher: Frozen | None,
        galleries: Mapping[str, Sequence[CategoryGallery]],
        place: Place,
    ) -> None:
        """`galleries`: of the validation splits."""
        self.config = config
        self.distillation = module
        self.module: nn.Module = module
        self.teacher = teacher
        self.galleries = galleries
        self.place = place
        self.queues: dict[str, KeyQueue] = {}
        if teacher is not None:
            length, width = config.student_training.queue_length, teacher.embedding_dim
            for number, name in enumerate(("r_s", "r_p")):
                self.queues[name] = KeyQueue.start(length, width, config.seed + number).to(place.device)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Input sides that the networks need."""
        own = self.distillation.students.config.size_px
        return (own,) if self.teacher is None else (own, self.teacher.size_px)

    def losses(self, batch: PairBatch) -> dict[str, Tensor]:
        """The terms of `StudentTraining` that have a weight, and their weighted `total`."""
        weights = self.config.student_training
        first, second, photos = self._embeddings(batch)
        terms: dict[str, Tensor] = {}
        if weights.info_nce:
            terms["info_nce"] = info_nce(
                first,
                photos,
                batch.identities,
                temperature=weights.temperature,
                label_smoothing=weights.label_smoothing,
            ).total
        if weights.centred:
            terms["centred"] = centred_info_nce(
                first,
                photos,
                batch.identities,
                batch.groups,
                temperature=weights.temperature,
                label_smoothing=weights.label_smoothing,
            )
        if weights.triplet:
            terms["triplet"] = triplet(first, photos, batch.identities, margin=weights.margin).total
        if self.teacher is not None:
            targets = self._targets(self.teacher, batch)
            terms |= self._distilled(first, second, photos, targets, batch.identities)
        parts = [getattr(weights, name) * value for name, value in terms.items()]
        return {**terms, "total": torch.stack(parts).sum()}

    def share_gradients(self) -> None:
        """Trunks saw this process's images; heads and maps everyone's cells."""
        maps = (self.distillation.sketch_to_teacher, self.distillation.photo_to_teacher)
        heads = [*self.distillation.students.projections(), *(p for part in maps for p in part.parameters())]
        sum_gradients(self.distillation.students.trunks(), heads, self.place.world)

    def validate(self, averaged: nn.Module) -> Verdict:
        """See `validate`; the score is the mean acc@1 of searches within a category, as they are served."""
        assert isinstance(averaged, Distillation)
        figures = validate(averaged.students, self.galleries, self.place, bf16=self.config.bf16)
        first = [value for name, value in figures.items() if name.endswith("/centred@1")]
        return Verdict(figures, sum(first) / max(1, len(first)))

    def publish(self, averaged: nn.Module, step: int, folder: Path) -> None:
        """Write `students.pt`: averaged weights of the students alone, with their experiment."""
        assert isinstance(averaged, Distillation)
        state = averaged.students.state_dict()
        experiment = self.config.model_dump(mode="json")
        StudentsFile(step, state, experiment).save(folder / STUDENTS_NAME)

    def _embeddings(self, batch: PairBatch) -> tuple[Tensor, Tensor, Tensor]:
        """Of the whole batch: f(a), f(b), f(p), (B, E) unit rows. f(b) is f(a) where the angle loss has no weight."""
        students, place = self.distillation.students, self.place
        views = batch.views[students.config.size_px]
        two = bool(self.config.student_training.angle)
        drawn = torch.cat([views.first, views.second]) if two else views.first
        with place.autocast(self.config.bf16):
            of_sketches, of_photos = students.encode_pair(drawn, views.photos)
        parts = of_sketches.cells.float().chunk(2 if two else 1)
        sketches = students.sketch.head(torch.cat([gather_cells(part, place.rank, place.world) for part in parts]))
        photos = students.photo.head(gather_cells(of_photos.cells.float(), place.rank, place.world))
        first, second = sketches.chunk(2) if two else (sketches, sketches)
        return first, second, photos

    def _targets(self, teacher: Frozen, batch: PairBatch) -> Targets:
        """The teacher's answers for the whole batch; each process asks it about its own share."""
        views = batch.views[teacher.size_px]
        with self.place.autocast(self.config.bf16):
            own: Targets = teacher(views.photos, views.first, views.second)
        return Targets(*(gather_cells(rows, self.place.rank, self.place.world) for rows in vars(own).values()))

    def _distilled(
        self, first: Tensor, second: Tensor, photos: Tensor, targets: Targets, identities: Tensor
    ) -> dict[str, Tensor]:
        weights = self.config.student_training
        terms: dict[str, Tensor] = {}
        sketch_query = self.distillation.sketch_to_teacher(first)
        photo_query = self.distillation.photo_to_teacher(photos)
        if weights.match:
            terms["match"] = embedding_match(sketch_query, targets.sketch_first)
            terms["match"] = terms["match"] + embedding_match(photo_query, targets.photo_first)
        if weights.queue_contrast:
            found = [
                queue_contrast(query, key, identities, self.queues[name], temperature=weights.temperature).total
                for name, query, key in (
                    ("r_s", sketch_query, targets.sketch_first),
                    ("r_p", photo_query, targets.photo_first),
                )
            ]
            terms["queue_contrast"] = found[0] + found[1]
            self.queues["r_s"] = self.queues["r_s"].pushed(targets.sketch_first, identities)
            self.queues["r_p"] = self.queues["r_p"].pushed(targets.photo_first, identities)
        if weights.distance:
            terms["distance"] = relational_distance(first, targets.sketch_first)
            terms["distance"] = terms["distance"] + relational_distance(photos, targets.photo_first)
        if weights.angle:
            fused = torch.cat([targets.photo_first, targets.photo_second])
            terms["angle"] = relational_angle(torch.cat([first, second]), fused)
            terms["angle"] = terms["angle"] + relational_angle(torch.cat([photos, photos]), fused)
        return terms
