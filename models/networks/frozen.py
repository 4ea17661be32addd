"""Students as the teacher of smaller ones: what they answer for a sketch, and for a photo, alone."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from models.bundle import Bundle
from models.bundle.encoder import Encoder
from models.networks.fused_teacher import Targets
from models.networks.protocol import StudentPair


class FrozenStudents(nn.Module):
    """Students that answer and never learn: no gradients, and no way out of eval mode."""

    def __init__(self, students: StudentPair) -> None:
        """The students themselves are frozen, not a copy of them."""
        super().__init__()
        self.students = students.requires_grad_(False)
        self.train(False)

    @property
    def embedding_dim(self) -> int:
        """Length of a target."""
        return self.students.config.embedding_dim

    @property
    def size_px(self) -> int:
        """Input side."""
        return self.students.config.size_px

    def train(self, mode: bool = True) -> FrozenStudents:
        """Stay in eval mode, also when a module around this one is put into training mode."""
        super().train(False)
        return self

    @torch.no_grad()
    def forward(self, photos: Tensor, first: Tensor, second: Tensor) -> Targets:
        """(B, 3, S, S) normalised of each -> targets: r_p is the photo's embedding whatever the sketch."""
        seen = self.students.photo(photos).float()
        drawn = self.students.sketch(first).float()
        again = drawn if second is first else self.students.sketch(second).float()
        return Targets(photo_first=seen, sketch_first=drawn, photo_second=seen, sketch_second=again)


class FrozenBundle(nn.Module):
    """The same of students that are there as a bundle alone, through onnxruntime."""

    def __init__(self, bundle: Bundle) -> None:
        """The bundle has to take images as training gives them: of one size, with ImageNet's mean and deviation."""
        super().__init__()
        self.bundle = bundle

    @property
    def embedding_dim(self) -> int:
        """Length of a target."""
        return self.bundle.embedding_dim

    @property
    def size_px(self) -> int:
        """Input side."""
        return self.bundle.sketch.preprocess.size_px

    def forward(self, photos: Tensor, first: Tensor, second: Tensor) -> Targets:
        """(B, 3, S, S) normalised of each -> targets: r_p is the photo's embedding whatever the sketch."""
        seen = _encoded(self.bundle.photo, photos)
        drawn = _encoded(self.bundle.sketch, first)
        again = drawn if second is first else _encoded(self.bundle.sketch, second)
        return Targets(photo_first=seen, sketch_first=drawn, photo_second=seen, sketch_second=again)


def _encoded(encoder: Encoder, images: Tensor) -> Tensor:
    return torch.from_numpy(encoder.encode(images.float().contiguous().cpu().numpy())).to(images.device)
