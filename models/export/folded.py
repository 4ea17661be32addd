"""What is exported: a student's function with its norms folded into convolutions and its weights rounded."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from PIL import Image
from torch import nn

from models.arrays import Vectors
from models.bundle.preprocess import Preprocess
from models.bundle.sketch import ANYWHERE, Purpose
from models.export.stored_weights import Storage, as_stored
from models.networks.protocol import StudentEncoder


def fold(student: StudentEncoder, storage: Storage | None) -> nn.Module:
    """A student of any form -> images (B, 3, S, S) to embeddings (B, E), folded and without gradients.

    `storage`: weights are rounded to what it gives back, which is what is exported and what is measured; None: they
    are not.
    """
    folded = student.folded()
    if storage is not None:
        with torch.no_grad():
            for weights in folded.parameters():
                weights.copy_(as_stored(weights, storage))
    return folded.requires_grad_(False)


@dataclass(frozen=True)
class FoldedEncoder:
    """A folded student behind the calls of `models.bundle.ImageEncoder`, computed by torch."""

    folded: nn.Module
    preprocess: Preprocess
    embedding_dim: int

    def view(self, image: Image.Image, purpose: Purpose = ANYWHERE) -> Image.Image:
        """The square that the network sees of an image. Raises SketchEmpty, SketchSolid."""
        return self.preprocess.view(image, purpose)

    def prepare(self, image: Image.Image, purpose: Purpose = ANYWHERE) -> Vectors:
        """An image of any size -> (3, S, S). Raises SketchEmpty, SketchSolid."""
        return self.preprocess(image, purpose)

    @torch.no_grad()
    def encode(self, batch: Vectors) -> Vectors:
        """(B, 3, S, S) -> (B, E), rows of length 1."""
        rows: Vectors = self.folded(torch.from_numpy(batch)).numpy()
        return rows
