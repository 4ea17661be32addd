"""What can be measured: a bundle's pair of encoders, or HOG as a baseline that learned nothing."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from models.bundle import ANYWHERE, EmbeddingParts, ImageEncoder, Preprocess, Purpose, SketchNormalisation
from models.evaluation.hog import hog

_HOG_PX = 160
_AS_IT_IS: dict[str, tuple[float, float, float]] = {"mean": (0.0, 0.0, 0.0), "std": (1.0, 1.0, 1.0)}


class EncoderPair(Protocol):
    """A sketch encoder and a photo encoder into one space; `models.bundle.Bundle` is one."""

    @property
    def bundle_id(self) -> str:
        """Identity of the embedding space."""

    @property
    def parts(self) -> EmbeddingParts | None:
        """How an embedding is divided; None where it is one piece."""

    @property
    def sketch(self) -> ImageEncoder:
        """Of sketches."""

    @property
    def photo(self) -> ImageEncoder:
        """Of photos."""


@dataclass(frozen=True)
class HogEncoder:
    """Histograms of oriented gradients over the views that networks see."""

    preprocess: Preprocess

    @cached_property
    def embedding_dim(self) -> int:
        """Length E of a vector."""
        return hog(np.zeros((_HOG_PX, _HOG_PX), dtype=np.float32)).size

    def view(self, image: Image.Image, purpose: Purpose = ANYWHERE) -> Image.Image:
        """What is seen of an image. Raises SketchEmpty, SketchSolid."""
        return self.preprocess.view(image, purpose)

    def prepare(self, image: Image.Image, purpose: Purpose = ANYWHERE) -> NDArray[np.float32]:
        """An image -> (H, W) grey levels. Raises SketchEmpty, SketchSolid."""
        return np.asarray(self.view(image, purpose).convert("L"), dtype=np.float32)

    def encode(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """(B, H, W) -> (B, E), rows of length 1."""
        return np.stack([hog(grey) for grey in batch])


@dataclass(frozen=True)
class HogPair:
    """HOG as a pair of encoders: a baseline for any data set."""

    bundle_id: str = "hog"
    parts: EmbeddingParts | None = None
    sketch: HogEncoder = HogEncoder(Preprocess(size_px=_HOG_PX, sketch=SketchNormalisation(), **_AS_IT_IS))
    photo: HogEncoder = HogEncoder(Preprocess(size_px=_HOG_PX, **_AS_IT_IS))
