"""The students of two parts with the prototypes of kinds, and the losses between them: what the engine trains.

Each process encodes its own rows. Everything that heads and losses see is gathered before, so any number of processes
computes what one would.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.data.kinds.word_vectors import name_vectors
from models.evaluation.protocol import CategoryGallery
from models.losses.inputs import KeptPairs, LossInputs, Match, Unpaired
from models.networks.part_students import PartHead, PartStudents
from models.networks.prototypes import Prototypes
from models.training.engine.config import TrainingPlan
from models.training.engine.distributed import gather_rows, sum_gradients
from models.training.engine.loop import Evaluation
from models.training.engine.optimiser import RateGroup
from models.training.engine.processes import Process
from models.training.recipes.parts.batches import PartsBatch
from models.training.recipes.parts.config import PartsConfig
from models.training.recipes.parts.prototype_file import PROTOTYPES_NAME, PrototypeFile
from models.training.students.validation import validate
from models.training.weights.students_file import STUDENTS_NAME, StudentsFile


class PartsLearner(nn.Module):
    """What learns: the students, and a prototype of each kind, which is left behind when they are published."""

    def __init__(self, students: PartStudents, kinds: Sequence[str]) -> None:
        """Prototypes start near those of kinds with a like name."""
        super().__init__()
        self.students = students
        words, _ = name_vectors(kinds)
        self.prototypes = Prototypes(len(kinds), students.config.kind_dim, torch.from_numpy(words))


class PartsTask:
    """Students of two parts. `memory` is empty: what a step sees is a function of seed and step."""

    def __init__(
        self,
        config: PartsConfig,
        learner: PartsLearner,
        kinds: Sequence[str],
        compatible: Tensor,
        galleries: Mapping[str, Sequence[CategoryGallery]],
        process: Process,
    ) -> None:
        """`kinds` (K,): names; `compatible` (K, K) bool; `galleries`: of the validation splits, by name."""
        self.config = config
        self.objective = config.student_training.objective
        self.learner = learner
        self.module: nn.Module = learner
        self.kinds = tuple(kinds)
        self.compatible = compatible.to(process.device)
        self.galleries = galleries
        self.process = process

    def rate_groups(self, plan: TrainingPlan) -> Sequence[RateGroup]:
        """Trunks at the plan's rate, their last convolution at a share of it, heads and prototypes as what is new.

        Neither biases nor the last convolution decay: the norms folded into them set their size.
        """
        students = self.learner.students
        new = {id(parameter) for parameter in (*students.projections(), *self.learner.prototypes.parameters())}
        last = {id(parameter) for parameter in students.last_convolution()}
        learning = [parameter for parameter in self.module.parameters() if parameter.requires_grad]
        trunk = [parameter for parameter in learning if id(parameter) not in new | last]
        return (
            RateGroup([p for p in trunk if p.ndim > 1], plan.rate),
            RateGroup([p for p in trunk if p.ndim <= 1], plan.rate, weight_decay=0.0),
            RateGroup([p for p in learning if id(p) in last], plan.rate * self.config.head_share, weight_decay=0.0),
            RateGroup([p for p in learning if id(p) in new], plan.rate if plan.new_rate is None else plan.new_rate),
        )

    def losses(self, batch: PartsBatch) -> dict[str, Tensor]:
        """The terms of the experiment's objective."""
        return self.objective(self.inputs(batch))

    def inputs(self, batch: PartsBatch) -> LossInputs:
        """What the objective reads, of the whole batch."""
        students, process = self.learner.students, self.process
        drawn, seen = (torch.cat(views) for views in self._views(batch))
        with process.autocast(self.config.bf16):
            of_sketches, of_photos = students.encode_pair(drawn, seen)
        own = len(batch.pair_photos)
        sketches, more_sketches = self._embedded(students.sketch.head, of_sketches.cells, own)
        photos, more_photos = self._embedded(students.photo.head, of_photos.cells, own)
        layout = students.parts["layout"]
        prototypes = F.pad(self.learner.prototypes(), (layout.stop, 0))  # (K, E): a kind has no layout
        return LossInputs(
            sketches=sketches,
            photos=photos,
            identities=batch.identities,
            categories=batch.groups,
            kind_labels=batch.kind_labels,
            matches=self._matches(sketches, photos, batch.kept_pairs),
            unpaired=Unpaired(more_sketches, batch.sketch_kinds, more_photos, batch.photo_kinds),
            prototypes=prototypes,
            compatible_kinds=self.compatible,
            kept_pairs=batch.kept_pairs,
            kept_photos=batch.kept_photos,
            parts=students.parts,
        )

    def share_gradients(self) -> None:
        """Trunks saw this process's images; heads and prototypes everyone's."""
        heads = [*self.learner.students.projections(), *self.learner.prototypes.parameters()]
        sum_gradients(self.learner.students.trunks(), heads, self.process)

    def memory(self) -> dict[str, Any]:
        """Nothing."""
        return {}

    def restore(self, memory: Mapping[str, Any]) -> None:
        """There is nothing to take over."""

    def validate(self, averaged: nn.Module) -> Evaluation:
        """See `validate`; the score is the mean acc@1 of searches within a category, 0 without any split."""
        students, config = cast("PartsLearner", averaged).students, self.config
        figures = {}
        if self.galleries:
            figures = validate(students, self.galleries, self.process, bf16=config.bf16, trim=config.trim)
        first = [value for name, value in figures.items() if name.endswith("/centred@1")]
        return Evaluation(figures, sum(first) / max(1, len(first)))

    def publish(self, averaged: nn.Module, step: int, folder: Path) -> None:
        """Write `students.pt`, and `prototypes.pt` that a further run may start from."""
        learner = cast("PartsLearner", averaged)
        weights = learner.students.state_dict()
        if self.config.half_weights:
            # What the domains share is halved once: two copies would be written twice.
            halves: dict[tuple[int, torch.Size], Tensor] = {}
            for name, value in weights.items():
                if value.is_floating_point():
                    weights[name] = halves.setdefault((value.data_ptr(), value.shape), value.half())
        StudentsFile(step, weights, self.config.published()).save(folder / STUDENTS_NAME)
        PrototypeFile.of(learner.prototypes, self.kinds).save(folder / PROTOTYPES_NAME)

    @staticmethod
    def _views(batch: PartsBatch) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
        return (batch.pair_sketches, batch.sketches), (batch.pair_photos, batch.photos)

    def _embedded(self, head: PartHead, cells: Tensor, pairs: int) -> tuple[Tensor, Tensor]:
        """This process's cells, the first `pairs` of them of pairs -> embeddings of all pairs, and of all others."""
        each = (cells[:pairs].float(), cells[pairs:].float())
        return head.with_unpaired(*(gather_rows(part, self.process) for part in each))

    def _matches(self, sketches: Tensor, photos: Tensor, kept: KeptPairs | None) -> tuple[Match, ...]:
        """The layouts with what a teacher says of them, where its vectors are as long as they are."""
        layout = self.learner.students.parts["layout"]
        if kept is None or kept.sketches.shape[1] != layout.stop:
            return ()
        each = (("r_s", sketches, kept.sketches), ("r_p", photos, kept.photos))
        return tuple(Match(name, F.normalize(rows[kept.rows, layout], dim=1), keys) for name, rows, keys in each)
