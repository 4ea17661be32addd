"""Networks that teach: they answer for images and never learn."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Self

import torch
from torch import Tensor, nn

from models.bundle import Bundle
from models.bundle.encoder import Encoder
from models.losses.inputs import Targets
from models.networks.fused_teacher import Teacher
from models.networks.protocol import StudentPair


class FrozenNetwork(nn.Module, ABC):
    """A teacher of students: no gradients, and no way out of eval mode."""

    @property
    @abstractmethod
    def embedding_dim(self) -> int:
        """Length D of a target."""

    @property
    @abstractmethod
    def size_px(self) -> int:
        """Side S of its square inputs in pixels."""

    @abstractmethod
    def forward(self, photos: Tensor, first: Tensor, second: Tensor) -> Targets:
        """(B, 3, S, S) normalised of each: photos, one sketch of each and another -> targets (B, D).

        `second` may be the same tensor as `first`.
        """

    def train(self, mode: bool = True) -> Self:
        """Stay in eval mode, also when a module around this one is put into training mode."""
        return super().train(False)


class FrozenTeacher(FrozenNetwork):
    """A fused teacher; each image is encoded once, whatever it is paired with."""

    def __init__(self, teacher: Teacher) -> None:
        """The teacher itself is frozen, not a copy of it."""
        super().__init__()
        self.teacher = teacher.requires_grad_(False)
        self.train(False)

    @property
    def embedding_dim(self) -> int:
        """Length D of r_p and r_s."""
        return self.teacher.config.embedding_dim

    @property
    def size_px(self) -> int:
        """Side S of its encoders' inputs in pixels."""
        return self.teacher.config.encoder.size_px

    @torch.no_grad()
    def forward(self, photos: Tensor, first: Tensor, second: Tensor) -> Targets:
        """(B, 3, S, S) normalised of each -> r_p and r_s of (photo, first sketch) and of (photo, second sketch)."""
        of_photos = self.teacher.photo_encoder(photos)
        of_sketches = self.teacher.sketch_encoder(torch.cat([first, second]))
        photo_first, sketch_first = self._unit(of_photos, of_sketches[: len(of_photos)])
        photo_second, sketch_second = self._unit(of_photos, of_sketches[len(of_photos) :])
        return Targets(photo_first, sketch_first, photo_second, sketch_second)

    def _unit(self, photo_tokens: Tensor, sketch_tokens: Tensor) -> tuple[Tensor, Tensor]:
        r_p, r_s = self.teacher.embed(self.teacher.fuse(photo_tokens, sketch_tokens))
        return nn.functional.normalize(r_p.float(), dim=1), nn.functional.normalize(r_s.float(), dim=1)


class FrozenStudents(FrozenNetwork):
    """Larger students as the teacher of smaller ones: what they answer for a sketch, and for a photo, alone."""

    def __init__(self, students: StudentPair) -> None:
        """The students themselves are frozen, not a copy of them."""
        super().__init__()
        self.students = students.requires_grad_(False)
        self.train(False)

    @property
    def embedding_dim(self) -> int:
        """Length D of an embedding."""
        return self.students.config.embedding_dim

    @property
    def size_px(self) -> int:
        """Side S of the students' inputs in pixels."""
        return self.students.config.size_px

    @torch.no_grad()
    def forward(self, photos: Tensor, first: Tensor, second: Tensor) -> Targets:
        """(B, 3, S, S) normalised of each -> targets: r_p is the photo's embedding whatever the sketch."""
        of_photos = self.students.photo(photos).float()
        of_first = self.students.sketch(first).float()
        # By identity: comparing the values would cost a pass over both batches.
        of_second = of_first if second is first else self.students.sketch(second).float()
        return Targets(photo_first=of_photos, sketch_first=of_first, photo_second=of_photos, sketch_second=of_second)


class FrozenBundle(FrozenNetwork):
    """Students that are there as a bundle alone, through onnxruntime on the CPU."""

    def __init__(self, bundle: Bundle) -> None:
        """The bundle has to take images as training gives them: of one size, with ImageNet's mean and deviation."""
        super().__init__()
        self.bundle = bundle

    @property
    def embedding_dim(self) -> int:
        """Length D of an embedding."""
        return self.bundle.embedding_dim

    @property
    def size_px(self) -> int:
        """Side S of the encoders' inputs in pixels."""
        return self.bundle.sketch.preprocess.size_px

    def forward(self, photos: Tensor, first: Tensor, second: Tensor) -> Targets:
        """(B, 3, S, S) normalised of each -> targets: r_p is the photo's embedding whatever the sketch."""
        of_photos = _encoded(self.bundle.photo, photos)
        of_first = _encoded(self.bundle.sketch, first)
        of_second = of_first if second is first else _encoded(self.bundle.sketch, second)
        return Targets(photo_first=of_photos, sketch_first=of_first, photo_second=of_photos, sketch_second=of_second)


def _encoded(encoder: Encoder, images: Tensor) -> Tensor:
    # numpy carries no gradient, so this needs no `torch.no_grad`.
    return torch.from_numpy(encoder.encode(images.float().contiguous().cpu().numpy())).to(images.device)
