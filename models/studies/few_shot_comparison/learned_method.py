"""A baseline as a method of the protocol."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from models.arrays import Rows, Vectors
from models.data.sampling.episodes import Episode, Task
from models.evaluation.few_shot.material import EmbeddedPart
from models.evaluation.few_shot.methods import TaskAdapter
from models.studies.few_shot_comparison.inner_loops import BaselineHead, BaselineModel
from models.training.recipes.adaptive.meta_model import TaskTensors


@dataclass(frozen=True)
class LearnedAdapter:
    """What an episode's support made of a baseline.

    `basis` (E, d): of the span of the task's photos and examples, where all of the head lies, for baselines that no
    rotation changes. What a query has across it is dropped: it makes all of its cosines smaller alike. None: all of E.
    """

    fitted: BaselineHead
    basis: Vectors | None

    def embed_sketches(self, sketches: Vectors) -> Vectors:
        """(N, E) -> (N, E'): the sketches' centre is subtracted, then features and head."""
        return self._embedded(torch.from_numpy(within(sketches, self.basis)) - self.fitted.centre)

    def embed_photos(self, photos: Vectors) -> Vectors:
        """(N, E) -> (N, E'): the photos' mean is subtracted, then features and head."""
        return self._embedded(torch.from_numpy(within(photos, self.basis)) - self.fitted.task.mean)

    @torch.no_grad()
    def _embedded(self, moved: torch.Tensor) -> Vectors:
        found: Vectors = self.fitted.embed(self.fitted.model.features(self.fitted.task, moved)).numpy()
        return found


@dataclass(frozen=True)
class LearnedMethod:
    """`steps` and `rate`: in place of the baseline's own, where given."""

    name: str
    model: BaselineModel
    steps: int | None = None
    rate: float | None = None
    uses_examples: bool = True

    def fit(self, sketches: Vectors, positives: Rows, photos: Vectors) -> TaskAdapter:
        """The inner loop on the examples."""
        basis = None
        if self.model.rotation_invariant:
            spanning = np.concatenate([photos, sketches]).astype(np.float64)
            basis = np.linalg.qr(spanning.T)[0].astype(np.float32)
        return LearnedAdapter(self.fitted(within(sketches, basis), positives, within(photos, basis)), basis)

    def fitted(self, sketches: Vectors, positives: Rows, photos: Vectors) -> BaselineHead:
        """The same with what led to it, in the space of the arguments."""
        rows, gallery = np.arange(len(sketches)), np.arange(len(photos))
        task = Task("", rows, positives, gallery, np.zeros_like(gallery))
        part = EmbeddedPart("", sketches, photos, (), (), ())
        tensors = TaskTensors.of(part, task, 0, reduced=False)
        # Nothing is held out: queries come later, through the adapter.
        one = Episode(task, len(rows), 0, rows, positives, rows[:0], rows[:0])
        return self.model.fit(tensors, one, self.steps, self.rate)


def within(rows: Vectors, basis: Vectors | None) -> Vectors:
    """(N, E) -> (N, d) in the basis, or the same rows."""
    return rows if basis is None else rows @ basis
