"""Students in torch behind the calls of a bundle's encoders, to measure or to inspect what is not exported."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from models.bundle import ANYWHERE, EmbeddingParts, Preprocess, Purpose
from models.networks.preprocessing import preprocesses
from models.networks.protocol import StudentEncoder, StudentPair
from models.training.weights.students_file import load_students


@dataclass(frozen=True)
class TorchEncoder:
    """A student behind the calls of `models.bundle.Encoder`."""

    student: StudentEncoder
    preprocess: Preprocess
    embedding_dim: int

    def view(self, image: Image.Image, purpose: Purpose = ANYWHERE) -> Image.Image:
        """What is seen of an image. Raises SketchEmpty, SketchSolid."""
        return self.preprocess.view(image, purpose)

    def prepare(self, image: Image.Image, purpose: Purpose = ANYWHERE) -> NDArray[np.float32]:
        """An image -> (3, S, S). Raises SketchEmpty, SketchSolid."""
        return self.preprocess(image, purpose)

    @torch.no_grad()
    def encode(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """(B, 3, S, S) -> (B, E), rows of length 1."""
        rows: NDArray[np.float32] = self.student(torch.from_numpy(batch)).numpy()
        return rows


@dataclass(frozen=True)
class TorchPair:
    """Both students as a pair of encoders, computed by torch."""

    bundle_id: str
    sketch: TorchEncoder
    photo: TorchEncoder
    parts: EmbeddingParts | None = None

    @classmethod
    def load(cls, path: Path) -> TorchPair:
        """Read a `students.pt`; `bundle_id` is made of the file's content. Raises CheckpointInvalid."""
        students, saved = load_students(path)
        name = f"students-{hashlib.sha256(path.read_bytes()).hexdigest()[:12]}"
        return cls.of(students, name, trim=saved.trim)

    @classmethod
    def of(cls, students: StudentPair, bundle_id: str, *, trim: bool = False) -> TorchPair:
        """Students in eval mode, under a name; `trim`: of photos, see `Preprocess`."""
        dim = students.config.embedding_dim
        sketch, photo = preprocesses(students.config.size_px, statistics=students.config.statistics, trim=trim)
        encoders = TorchEncoder(students.sketch, sketch, dim), TorchEncoder(students.photo, photo, dim)
        return cls(bundle_id, *encoders, students.config.embedding_parts)
