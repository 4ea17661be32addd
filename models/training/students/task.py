"""The students, what a teacher answers for their batch, and the losses between them; see `models.training.engine.loop`.

Each process encodes its own rows. Everything that the heads and the losses see is gathered before, so any number of
processes computes what one would.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from models.evaluation.protocol import CategoryGallery
from models.losses.inputs import LossInputs, Match, Need, PerModality, Targets
from models.losses.key_queue import KeyQueue
from models.networks.frozen import FrozenNetwork
from models.networks.protocol import Encoded, Extra, StudentPair
from models.training.engine.config import TrainingPlan
from models.training.engine.distributed import gather_rows, sum_gradients
from models.training.engine.loop import Evaluation
from models.training.engine.optimiser import RateGroup, split_rates
from models.training.engine.processes import Process
from models.training.pairs.batches import PairBatch
from models.training.students.config import FROM_A_TEACHER, StudentExperiment
from models.training.students.validation import validate
from models.training.weights.start import cnn_trunks
from models.training.weights.students_file import STUDENTS_NAME, StudentsFile

_EXTRAS: dict[Need, Extra] = {Need.FEATURE_MAPS: "feature_maps", Need.ATTENTION: "attention"}
SKETCHES, PHOTOS = "r_s", "r_p"
"""The matches and queues of a distilling run, named by the teacher's vector that holds the keys."""


def offered_needs(students: StudentPair, *, with_teacher: bool) -> frozenset[Need]:
    """What a batch of pairs can give to losses with students of this form."""
    extras = students.sketch.extras & students.photo.extras
    own = {Need.SECOND_SKETCHES, Need.KIND_LABELS, *(need for need, extra in _EXTRAS.items() if extra in extras)}
    return frozenset(own | FROM_A_TEACHER) if with_teacher else frozenset(own)


class Distillation(nn.Module):
    """What learns: the students, and maps from their embeddings to the teacher's width where the widths differ."""

    def __init__(self, students: StudentPair, width: int) -> None:
        """`width` of the teacher's targets; the maps are left behind when the students are published."""
        super().__init__()
        self.students = students
        own = students.config.embedding_dim
        self.sketch_to_teacher = nn.Identity() if own == width else nn.Linear(own, width)
        self.photo_to_teacher = nn.Identity() if own == width else nn.Linear(own, width)


class StudentsTask:
    """Students with or without a teacher. `memory`: a queue of the teacher's earlier keys for each modality."""

    def __init__(
        self,
        config: StudentExperiment,
        module: Distillation,
        teacher: FrozenNetwork | None,
        galleries: Mapping[str, Sequence[CategoryGallery]],
        process: Process,
    ) -> None:
        """`galleries`: of the validation splits, by name."""
        self.config = config
        self.objective = config.student_training.objective
        self.distillation = module
        self.module: nn.Module = module
        self.teacher = teacher
        self.galleries = galleries
        self.process = process
        self.queues: dict[str, KeyQueue] = {}
        if teacher is not None and Need.QUEUES in self.objective.needs:
            length, width = config.student_training.queue_length, teacher.embedding_dim
            for number, name in enumerate((SKETCHES, PHOTOS)):
                self.queues[name] = KeyQueue.start(length, width, config.seed + number).to(process.device)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Input sides in pixels that the networks need."""
        own = self.distillation.students.config.size_px
        return (own,) if self.teacher is None else (own, self.teacher.size_px)

    def rate_groups(self, plan: TrainingPlan) -> Sequence[RateGroup]:
        """CNN trunks at the plan's rate, everything else at the rate of what is new."""
        return split_rates(self.module, cnn_trunks(self.module), plan)

    def losses(self, batch: PairBatch) -> dict[str, Tensor]:
        """The terms of the experiment's objective; afterwards the teacher's keys are pushed into the queues."""
        inputs = self.inputs(batch)
        terms = self.objective(inputs)
        for match in inputs.matches:
            if match.modality in self.queues:
                self.queues[match.modality] = self.queues[match.modality].pushed(match.keys, inputs.identities)
        return terms

    def inputs(self, batch: PairBatch) -> LossInputs:
        """What the objective reads, of the whole batch: embeddings, named outputs, and a teacher's answers."""
        first, second, photos, extras = self._embeddings(batch)
        targets = None if self.teacher is None else self._targets(self.teacher, batch)
        matches: tuple[Match, ...] = ()
        if targets is not None:
            matches = (
                Match(SKETCHES, self.distillation.sketch_to_teacher(first), targets.sketch_first),
                Match(PHOTOS, self.distillation.photo_to_teacher(photos), targets.photo_first),
            )
        return LossInputs(
            sketches=first,
            photos=photos,
            identities=batch.identities,
            categories=batch.groups,
            second_sketches=second,
            kind_labels=batch.kind_labels,
            matches=matches,
            queues=self.queues,
            targets=targets,
            feature_maps=extras.get(Need.FEATURE_MAPS),
            attention=extras.get(Need.ATTENTION),
            strokes=batch.strokes,
            parts=self.distillation.students.parts,
        )

    def share_gradients(self) -> None:
        """Trunks saw this process's images; heads and maps everyone's cells."""
        maps = (self.distillation.sketch_to_teacher, self.distillation.photo_to_teacher)
        heads = [*self.distillation.students.projections(), *(p for part in maps for p in part.parameters())]
        sum_gradients(self.distillation.students.trunks(), heads, self.process)

    def memory(self) -> dict[str, Any]:
        """The queues by name, as plain tables."""
        return {name: dict(vars(queue)) for name, queue in self.queues.items()}

    def restore(self, memory: Mapping[str, Any]) -> None:
        """The queues of an earlier process."""
        for name, queue in memory.items():
            self.queues[name] = KeyQueue(**queue).to(self.process.device)

    def validate(self, averaged: nn.Module) -> Evaluation:
        """See `validate`; the score is the mean acc@1 of searches within a category, as they are served."""
        figures = validate(_students(averaged), self.galleries, self.process, bf16=self.config.bf16)
        first = [value for name, value in figures.items() if name.endswith("/centred@1")]
        return Evaluation(figures, sum(first) / max(1, len(first)))

    def publish(self, averaged: nn.Module, step: int, folder: Path) -> None:
        """Write `students.pt`: averaged weights of the students alone, with their experiment."""
        weights = _students(averaged).state_dict()
        StudentsFile(step, weights, self.config.model_dump(mode="json")).save(folder / STUDENTS_NAME)

    def _embeddings(self, batch: PairBatch) -> tuple[Tensor, Tensor | None, Tensor, dict[Need, PerModality]]:
        """Of the whole batch: f(a), f(b), f(p), (B, E) unit rows, and requested outputs of a and p.

        f(b) is None where no loss reads it.
        """
        students, process = self.distillation.students, self.process
        views = batch.views[students.config.size_px]
        two = Need.SECOND_SKETCHES in self.objective.needs
        sketches = torch.cat([views.first, views.second]) if two else views.first
        requested = frozenset(extra for need, extra in _EXTRAS.items() if need in self.objective.needs)
        with process.autocast(self.config.bf16):
            of_sketches, of_photos = students.encode_pair(sketches, views.photos, requested)
        # First and second sketches go through the trunk at once; gathered each for itself, the whole batch has all
        # first sketches before all second ones, as `chunk` below expects.
        parts = of_sketches.cells.float().chunk(2 if two else 1)
        embedded = students.sketch.head(torch.cat([gather_rows(part, process) for part in parts]))
        photos = students.photo.head(gather_rows(of_photos.cells.float(), process))
        first, second = embedded.chunk(2) if two else (embedded, None)
        return first, second, photos, self._extras(of_sketches, of_photos, len(views.first))

    def _extras(self, of_sketches: Encoded, of_photos: Encoded, count: int) -> dict[Need, PerModality]:
        """Requested outputs of the first sketches (the first `count` rows) and of the photos, gathered."""

        def gathered(maps: Sequence[Tensor]) -> tuple[Tensor, ...]:
            return tuple(gather_rows(level[:count].float(), self.process) for level in maps)

        extras = {}
        if Need.FEATURE_MAPS in self.objective.needs:
            maps = PerModality(gathered(of_sketches.feature_maps), gathered(of_photos.feature_maps))
            extras[Need.FEATURE_MAPS] = maps
        if Need.ATTENTION in self.objective.needs:
            assert of_sketches.attention is not None
            assert of_photos.attention is not None
            attention = PerModality(gathered((of_sketches.attention,)), gathered((of_photos.attention,)))
            extras[Need.ATTENTION] = attention
        return extras

    def _targets(self, teacher: FrozenNetwork, batch: PairBatch) -> Targets:
        """The teacher's answers for the whole batch; each process asks it about its own share."""
        views = batch.views[teacher.size_px]
        with self.process.autocast(self.config.bf16):
            own: Targets = teacher(views.photos, views.first, views.second)
        return Targets(*(gather_rows(rows, self.process) for rows in vars(own).values()))


def _students(averaged: nn.Module) -> StudentPair:
    """The students of an averaged `Distillation`."""
    return cast("Distillation", averaged).students
