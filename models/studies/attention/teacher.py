"""What the teacher's two CLS tokens read of the other side, block by block."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from models.bundle import Preprocess
from models.networks.fused_teacher import Teacher
from models.networks.preprocessing import preprocesses
from models.training.recipes.xmodalvit.teacher import load_teacher


@dataclass(frozen=True)
class TeacherMaps:
    """Of one XMA block, means of its heads (h, w): what the sketch's CLS reads of the photo, and the photo's of the
    sketch.
    """

    on_photo: NDArray[np.float32]
    on_sketch: NDArray[np.float32]


@dataclass(frozen=True)
class InspectedTeacher:
    """A teacher with its preprocessing."""

    teacher: Teacher
    sketch: Preprocess
    photo: Preprocess

    @classmethod
    def load(cls, folder: Path) -> InspectedTeacher:
        """The best of a run. Raises CheckpointInvalid, ConfigInvalid."""
        teacher = load_teacher(folder).teacher
        return cls(teacher, *preprocesses(teacher.config.encoder.size_px))

    @torch.no_grad()
    def maps(self, sketch: Image.Image, photo: Image.Image) -> list[TeacherMaps]:
        """One of each XMA block. Raises SketchEmpty, SketchSolid."""
        drawn = torch.from_numpy(self.sketch(sketch)[None])
        seen = torch.from_numpy(self.photo(photo)[None])
        blocks = self.teacher.attention(seen, drawn)
        return [TeacherMaps(*(weights[0].mean(dim=0).numpy() for weights in pair)) for pair in blocks]
