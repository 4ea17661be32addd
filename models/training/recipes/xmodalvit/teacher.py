"""Train the fused teacher on pairs: r_p(p, a) is to find r_s(p, b), two sketches a, b of one photo p.

XModalViT (BMVC 2022), with what its public code got wrong put right: both sides of XAQC have length 1, and the queue
wraps around and never offers a query its own photo as a negative.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, cast

import torch
from pydantic import TypeAdapter, ValidationError
from torch import Tensor, nn
from torch.nn import functional as F

from models.evaluation.protocol import CategoryGallery
from models.losses.inputs import LossInputs, Match
from models.losses.key_queue import KeyQueue
from models.losses.table import LOSSES
from models.networks.frozen import FrozenTeacher
from models.networks.fused_teacher import Teacher, TeacherCells, TeacherConfig
from models.training.engine.config import ConfigInvalid, TrainingPlan
from models.training.engine.distributed import gather_rows, sum_gradients
from models.training.engine.loop import Evaluation, Fit
from models.training.engine.optimiser import RateGroup, split_rates
from models.training.engine.processes import Process, to_device
from models.training.engine.run_directory import RunDirectory
from models.training.engine.state import CheckpointInvalid, load_tensors, save_tensors
from models.training.pairs.batches import PairBatch
from models.training.pairs.run import PairRun
from models.training.recipes.xmodalvit.config import XModalConfig
from models.training.recipes.xmodalvit.teacher_validation import validate_teacher
from models.training.weights.start import cnn_trunks, freeze_stages, start_from_imagenet, start_from_published

TEACHER_NAME = "teacher.pt"
_KEYS = "r_s"
_CONFIG = TypeAdapter(TeacherConfig)


def train_teacher(run: PairRun[XModalConfig]) -> None:
    """Train, or resume, the teacher of `run.config`; the best weights go to `teacher.pt`.

    Raises, before the first step, ConfigInvalid and what `PairRun.prepare`, `RunDirectory.open` and
    `PairRun.launch` raise.
    """
    objective, teacher = run.config.require_teacher().objective, Teacher(run.config.teacher)
    for name, term in objective.terms.items():
        if term.part is not None and term.part not in teacher.parts:
            raise ConfigInvalid(f"{name} looks at the part {term.part!r}; this teacher has {', '.join(teacher.parts)}")
    RunDirectory.open(run.out, run.config.described_teacher(), run.config.normalised)
    run.prepare(teacher)
    run.launch(partial(_train_rank, run))


def load_teacher(folder: Path) -> FrozenTeacher:
    """The best teacher of a run. Raises CheckpointInvalid."""
    values = load_tensors(folder / TEACHER_NAME)
    if not {"teacher", "experiment"} <= set(values):
        raise CheckpointInvalid(f"{folder / TEACHER_NAME} holds no teacher")
    try:
        teacher = Teacher(_CONFIG.validate_python(values["experiment"].get("teacher")))
        teacher.load_state_dict(values["teacher"])
    except (ValidationError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise CheckpointInvalid(f"{folder / TEACHER_NAME} holds a teacher of another release: {reason}") from error
    return FrozenTeacher(teacher)


def _train_rank(run: PairRun[XModalConfig], process: Process) -> None:
    config = run.config
    torch.manual_seed(config.seed)
    teacher = Teacher(config.teacher)
    if config.pretrained:
        start_from_imagenet(teacher, run.pretrained)
    if config.published is not None:
        start_from_published(teacher, config.published)
    plan = config.require_teacher().plan
    freeze_stages(teacher, plan.frozen_stages)
    to_device(teacher, process)
    task = TeacherTask(config, teacher, run.galleries(), process)
    batches = run.batches((config.teacher.encoder.size_px,), process, two_sketches=True)
    Fit(task, plan, batches, RunDirectory(run.out), process, run.resources.workers, run.stop_after).fit()


class TeacherTask:
    """The teacher and its losses. `memory`: a queue of earlier r_s."""

    def __init__(
        self,
        config: XModalConfig,
        teacher: Teacher,
        galleries: Mapping[str, Sequence[CategoryGallery]],
        process: Process,
    ) -> None:
        """Starts with a queue of random keys of the teacher's width."""
        self.config = config
        self.training = config.require_teacher()
        self.objective = self.training.objective
        self.teacher = teacher
        self.module: nn.Module = teacher
        self.galleries = galleries
        self.process = process
        start = KeyQueue.start(self.training.queue_length, config.teacher.embedding_dim, config.seed)
        self.queues = {_KEYS: start.to(process.device)}

    def rate_groups(self, plan: TrainingPlan) -> Sequence[RateGroup]:
        """CNN trunks at the plan's rate, everything else at the rate of what is new."""
        return split_rates(self.module, cnn_trunks(self.module), plan)

    def losses(self, batch: PairBatch) -> dict[str, Tensor]:
        """The terms of `TeacherTraining.losses`; afterwards r_s is pushed into the queue."""
        r_p, r_s = self._embeddings(batch)
        inputs = LossInputs(
            sketches=F.normalize(r_s, dim=1),
            photos=F.normalize(r_p, dim=1),
            identities=batch.identities,
            categories=batch.groups,
            matches=(Match(_KEYS, r_p, r_s),),
            queues=self.queues,
            parts=self.teacher.parts,
        )
        terms = self.objective(inputs)
        self.queues[_KEYS] = self.queues[_KEYS].pushed(r_s, batch.identities)
        return terms

    def share_gradients(self) -> None:
        """Encoders and fusion saw this process's pairs, the grid heads everyone's."""
        own = [self.teacher.photo_encoder, self.teacher.sketch_encoder, self.teacher.fusion]
        sum_gradients(own, self.teacher.grid_parameters(), self.process)

    def memory(self) -> dict[str, Any]:
        """The queue under its name, as a plain table."""
        return {name: dict(vars(queue)) for name, queue in self.queues.items()}

    def restore(self, memory: Mapping[str, Any]) -> None:
        """The queue of an earlier process."""
        self.queues = {name: KeyQueue(**queue).to(self.process.device) for name, queue in memory.items()}

    def validate(self, averaged: nn.Module) -> Evaluation:
        """See `validate_teacher`."""
        teacher = cast("Teacher", averaged)
        return validate_teacher(teacher, self.galleries, self.training.temperature, self.process, self.config.bf16)

    def publish(self, averaged: nn.Module, step: int, folder: Path) -> None:
        """Write `teacher.pt`: the weights with the experiment that they belong to."""
        experiment = self.config.model_dump(mode="json")
        save_tensors(folder / TEACHER_NAME, {"teacher": averaged.state_dict(), "experiment": experiment, "step": step})

    def _embeddings(self, batch: PairBatch) -> tuple[Tensor, Tensor]:
        """Of the whole batch: r_p(p, a), r_s(p, b), (B, D) of any length."""
        (views,) = batch.views.values()
        # Losses on matches give their keys no gradient; only a contrast within the batch pulls at them too.
        keys_learn = any(not LOSSES[term.loss].needs for term in self.objective.terms.values())
        with self.process.autocast(self.config.bf16):
            of_photos = self.teacher.photo_encoder(views.photos)
            with_first = self.teacher.fuse(of_photos, self.teacher.sketch_encoder(views.first))
            with torch.set_grad_enabled(keys_learn):
                with_second = self.teacher.fuse(of_photos, self.teacher.sketch_encoder(views.second))
        r_p = self.teacher.embed(self._whole(with_first))[0]
        r_s = self.teacher.embed(self._whole(with_second))[1]
        return r_p, r_s

    def _whole(self, cells: TeacherCells) -> TeacherCells:
        """This process's cells -> the whole batch's, in single precision."""
        return TeacherCells(*(gather_rows(part.float(), self.process) for part in vars(cells).values()))
