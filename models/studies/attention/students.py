"""Students to look into: those of a bundle, through its ONNX files, or those of a checkpoint, through torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from models.bundle import Bundle, EmbeddingParts, ImageEncoder, Purpose, Runtime
from models.evaluation.encoders import EncoderPair
from models.studies.attention.layout import Layout
from models.training.weights.students_file import load_students
from models.training.weights.torch_encoders import TorchEncoder, TorchPair


class InspectedStudents(EncoderPair, Protocol):
    """Encoders whose embeddings have a known layout."""

    @property
    def layout(self) -> Layout:
        """Where in the image their numbers come from."""


@dataclass(frozen=True)
class BundleStudents:
    """A bundle's ONNX encoders. They do not show what a transformer's CLS reads."""

    bundle_id: str
    layout: Layout
    sketch: ImageEncoder
    photo: ImageEncoder
    parts: EmbeddingParts | None = None

    @classmethod
    def load(cls, path: Path | None) -> BundleStudents:
        """Raises BundleError, LayoutUnknown."""
        bundle = Bundle.load(path, Runtime(threads=1))
        layout = Layout.of_experiment(bundle.manifest.provenance.get("experiment") or {})
        return cls(bundle.bundle_id, layout, bundle.sketch, bundle.photo, bundle.parts)


@dataclass(frozen=True)
class CheckpointStudents:
    """As training left them."""

    bundle_id: str
    layout: Layout
    sketch: TorchEncoder
    photo: TorchEncoder
    parts: EmbeddingParts | None = None

    @classmethod
    def load(cls, path: Path) -> CheckpointStudents:
        """Raises CheckpointInvalid, LayoutUnknown."""
        students, saved = load_students(path)
        pair = TorchPair.of(students, path.parent.name, trim=saved.trim)
        return cls(pair.bundle_id, Layout.of_experiment(saved.experiment), pair.sketch, pair.photo, pair.parts)


@torch.no_grad()
def cls_attention(encoder: TorchEncoder, image: Image.Image, purpose: Purpose) -> NDArray[np.float32] | None:
    """(h, w), the mean of the heads: what the CLS reads in the last block. None where there is no CLS."""
    images = torch.from_numpy(encoder.prepare(image, purpose)[None])
    weights = encoder.student.encode(images, frozenset({"attention"})).attention
    if weights is None:
        return None
    mean: NDArray[np.float32] = weights[0].mean(dim=0).numpy()
    return mean
