"""Train the fused teacher on pairs: r_p(p, a) is to find r_s(p, b), two sketches a, b of one photo p.

XModalViT (BMVC 2022), with what its public code got wrong put right: both sides of XAQC have length 1, and the queue
wraps around and never offers a query its own photo as a negative.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.evaluation.protocol import CategoryGallery
from models.losses.info_nce import info_nce
from models.losses.queue_contrast import KeyQueue, queue_contrast
from models.networks.fused_teacher import FrozenTeacher, Teacher, TeacherCells
from models.training.engine.distributed import gather_cells, sum_gradients
from models.training.engine.loop import Fit, Verdict
from models.training.engine.pair_batches import PairBatch
from models.training.engine.placement import Place
from models.training.engine.run_directory import RunDirectory
from models.training.engine.state import CheckpointInvalid, load_tensors, save_tensors
from models.training.recipes.xmodalvit.config import XModalConfig
from models.training.recipes.xmodalvit.experiment import XModalRun
from models.training.recipes.xmodalvit.teacher_validation import validate_teacher
from models.training.weights.start import freeze_stages, start_from_imagenet, start_from_published

TEACHER_NAME = "teacher.pt"
_QUEUE = "r_s"


def train_teacher(run: XModalRun) -> None:
    """Train, or go on with, the teacher of `run.config`; the best weights go to `teacher.pt`.

    Raises, before the first step, ConfigInvalid and what `XModalRun.prepare`, `RunDirectory.open` and
    `XModalRun.launch` raise.
    """
    run.config.require_teacher()
    RunDirectory.open(run.out, _described(run.config))
    run.prepare()
    run.launch(partial(_train_rank, run))


def load_teacher(folder: Path) -> FrozenTeacher:
    """The best teacher of a run. Raises CheckpointInvalid, ConfigInvalid."""
    values = load_tensors(folder / TEACHER_NAME)
    if not {"teacher", "experiment"} <= set(values):
        raise CheckpointInvalid(f"{folder / TEACHER_NAME} holds no teacher")
    config = XModalConfig.parse(values["experiment"], str(folder))
    teacher = Teacher(config.teacher)
    teacher.load_state_dict(values["teacher"])
    return FrozenTeacher(teacher)


def _described(config: XModalConfig) -> dict[str, object]:
    return {"task": "teacher", **config.model_dump(mode="json")}


def _train_rank(run: XModalRun, place: Place) -> None:
    config = run.config
    torch.manual_seed(config.seed)
    teacher = Teacher(config.teacher)
    if config.pretrained:
        start_from_imagenet(teacher, run.pretrained)
    if config.published is not None:
        start_from_published(teacher, config.published)
    plan = config.require_teacher().plan
    freeze_stages(teacher, plan.frozen_stages)
    teacher.to(place.device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    task = TeacherTask(config, teacher, run.galleries(), place)
    batches = run.batches((config.teacher.encoder.size_px,), place, two_sketches=True)
    folder = RunDirectory(run.out)
    Fit(task, plan, batches, folder, place, run.resources.workers, run.stop_after).fit()


class TeacherTask:
    """The teacher, its queue and its loss; see `Task`."""

    def __init__(
        self, config: XModalConfig, teacher: Teacher, galleries: dict[str, tuple[CategoryGallery, ...]], place: Place
    ) -> None:
        """An unfilled queue of the teacher's width."""
        self.config = config
        self.training = config.require_teacher()
        self.teacher = teacher
        self.module: nn.Module = teacher
        self.galleries = galleries
        self.place = place
        start = KeyQueue.start(self.training.queue_length, config.teacher.embedding_dim, config.seed)
        self.queues = {_QUEUE: start.to(place.device)}

    def losses(self, batch: PairBatch) -> dict[str, Tensor]:
        """XAQC, and where asked for InfoNCE within the batch; see `TeacherTraining`."""
        training = self.training
        in_batch = bool(training.info_nce or training.grid_info_nce)
        (views,) = batch.views.values()
        with self.place.autocast(self.config.bf16):
            seen = self.teacher.photo_encoder(views.photos)
            with_first = self.teacher.fuse(seen, self.teacher.sketch_encoder(views.first))
            # Keys get no gradient; only a contrast within the batch pulls at them too.
            with torch.set_grad_enabled(in_batch):
                with_second = self.teacher.fuse(seen, self.teacher.sketch_encoder(views.second))
        r_p = self.teacher.embed(self._whole(with_first))[0]
        r_s = self.teacher.embed(self._whole(with_second))[1]
        queue = self.queues[_QUEUE]
        xaqc = queue_contrast(r_p, r_s, batch.identities, queue, temperature=training.temperature)
        self.queues[_QUEUE] = queue.pushed(r_s, batch.identities)
        terms = {"queue_contrast": xaqc.total, "found": xaqc.found, "total": training.queue_contrast * xaqc.total}
        if training.info_nce:
            terms["info_nce"] = self._in_batch(r_s, r_p, batch.identities)
            terms["total"] = terms["total"] + training.info_nce * terms["info_nce"]
        if training.grid_info_nce:
            dim = self.config.teacher.encoder.dim
            terms["grid_info_nce"] = self._in_batch(r_s[:, dim:], r_p[:, dim:], batch.identities)
            terms["total"] = terms["total"] + training.grid_info_nce * terms["grid_info_nce"]
        return terms

    def share_gradients(self) -> None:
        """Encoders and fusion saw this process's pairs, the grid heads everyone's."""
        own = [self.teacher.photo_encoder, self.teacher.sketch_encoder, self.teacher.fusion]
        sum_gradients(own, self.teacher.grid_parameters(), self.place.world)

    def validate(self, averaged: nn.Module) -> Verdict:
        """See `validate_teacher`."""
        assert isinstance(averaged, Teacher)
        return validate_teacher(averaged, self.galleries, self.training.temperature, self.place, self.config.bf16)

    def publish(self, averaged: nn.Module, step: int, folder: Path) -> None:
        """Write `teacher.pt`: the weights with the experiment that they belong to."""
        experiment = self.config.model_dump(mode="json")
        save_tensors(folder / TEACHER_NAME, {"teacher": averaged.state_dict(), "experiment": experiment, "step": step})

    def _whole(self, cells: TeacherCells) -> TeacherCells:
        """This process's cells -> the whole batch's, in single precision."""
        parts = (gather_cells(part.float(), self.place.rank, self.place.world) for part in vars(cells).values())
        return TeacherCells(*parts)

    def _in_batch(self, sketches: Tensor, photos: Tensor, identities: Tensor) -> Tensor:
        training = self.training
        return info_nce(
            F.normalize(sketches, dim=1),
            F.normalize(photos, dim=1),
            identities,
            temperature=training.temperature,
            label_smoothing=training.label_smoothing,
        ).total
