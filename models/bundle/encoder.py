"""One single-modality encoder behind one small class."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from PIL import Image

from models.bundle.errors import BundleCorrupt
from models.bundle.preprocess import Preprocess

INPUT_NAME = "image"
OUTPUT_NAME = "embedding"


@dataclass(frozen=True)
class Encoder:
    """An ONNX encoder with its preprocessing. Threads may share it; `encode` releases the GIL."""

    session: ort.InferenceSession
    preprocess: Preprocess
    embedding_dim: int

    def __post_init__(self) -> None:
        """Refuse a model whose interface is not the bundle's. Raises BundleCorrupt."""
        inputs = {i.name: i.shape for i in self.session.get_inputs()}
        outputs = {o.name: o.shape for o in self.session.get_outputs()}
        size = self.preprocess.size_px
        if list(inputs) != [INPUT_NAME] or inputs[INPUT_NAME][1:] != [3, size, size]:
            raise BundleCorrupt(f"the encoder's input is {inputs}; {INPUT_NAME} (B, 3, {size}, {size}) is expected")
        if list(outputs) != [OUTPUT_NAME] or outputs[OUTPUT_NAME][1:] != [self.embedding_dim]:
            raise BundleCorrupt(
                f"the encoder's output is {outputs}; {OUTPUT_NAME} (B, {self.embedding_dim}) is expected"
            )

    @property
    def providers(self) -> tuple[str, ...]:
        """onnxruntime's execution providers in use, the preferred one first."""
        return tuple(self.session.get_providers())

    def view(self, image: Image.Image) -> Image.Image:
        """What the model sees of an image. Raises SketchEmpty, SketchSolid."""
        return self.preprocess.view(image)

    def prepare(self, image: Image.Image) -> NDArray[np.float32]:
        """An image (RGB or L, any size) -> (3, H, W) float32. Raises SketchEmpty, SketchSolid."""
        return self.preprocess(image)

    def encode(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """(B, 3, H, W) float32 -> (B, E) float32, rows of length 1."""
        (embeddings,) = self.session.run([OUTPUT_NAME], {INPUT_NAME: batch})
        result: NDArray[np.float32] = embeddings
        return result
