"""One single-modality encoder: an ONNX session with its preprocessing, from a file to an embedding."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from typing import TypeVar

import onnxruntime as ort
from PIL import Image

from models.arrays import Vectors
from models.bundle.embedding import Embedded, Pace, ReadImage, Unusable, embed, embed_stream, read_image
from models.bundle.errors import BundleCorrupt
from models.bundle.preprocess import Preprocess
from models.bundle.sketch import ANYWHERE, Purpose
from models.images import DecodedImage, ImageFile, ImageLimits

INPUT_NAME = "image"
OUTPUT_NAME = "embedding"

Kept = TypeVar("Kept")


@dataclass(frozen=True)
class Encoder:
    """An ONNX encoder with its preprocessing. Threads may share it; `encode` releases the GIL.

    `embed` and `embed_stream` go from files to embeddings. `decode`, `prepare` and `encode` are their steps, for a
    caller that times them apart or shows what lies between. `lone`: a session of several threads, for a call that has
    the machine to itself; None: there is none.
    """

    session: ort.InferenceSession
    preprocess: Preprocess
    embedding_dim: int
    lone: ort.InferenceSession | None = None

    def __post_init__(self) -> None:
        """Check the model's inputs and outputs against the bundle's interface. Raises BundleCorrupt."""
        # The batch axis is left out of the comparison: it is dynamic, and onnxruntime gives a name in place of its
        # length.
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

    def embed(
        self, files: Iterable[ImageFile], limits: ImageLimits | None = None, *, pace: Pace | None = None
    ) -> Vectors:
        """N images -> (N, E) float32, rows of length 1; raises at the first unusable one. See `embedding.embed`."""
        return embed(self, files, limits, pace=pace)

    def embed_stream(
        self,
        files: Iterable[ImageFile],
        keep: Callable[[ReadImage], Kept],
        limits: ImageLimits | None = None,
        *,
        draft_px: int | None = None,
        pace: Pace | None = None,
    ) -> Generator[Embedded[Kept] | Unusable, None, None]:
        """Any number of images, a bounded number in memory, errors as outcomes. See `embedding.embed_stream`."""
        return embed_stream(self, files, keep, limits, draft_px=draft_px, pace=pace)

    def read(self, file: ImageFile, limits: ImageLimits | None = None, *, draft_px: int | None = None) -> ReadImage:
        """One image decoded, with its input for `encode`. Raises ImageError, OSError."""
        return read_image(self, file, limits, draft_px=draft_px)

    def decode(
        self, file: ImageFile, limits: ImageLimits | None = None, *, draft_px: int | None = None
    ) -> DecodedImage:
        """Upright 8-bit RGB, or L, on this modality's matte, and what the file says of itself; see `decode_image`.

        Raises ImageTooLarge, ImageUnsupported, ImageUnreadable, OSError.
        """
        return self.preprocess.decode(file, limits, draft_px=draft_px)

    def view(self, image: Image.Image, purpose: Purpose = ANYWHERE) -> Image.Image:
        """What the model sees of an image: (size_px, size_px), L or RGB; `purpose`: of a sketch.

        Raises SketchEmpty, SketchSolid.
        """
        return self.preprocess.view(image, purpose)

    def prepare(self, image: Image.Image, purpose: Purpose = ANYWHERE) -> Vectors:
        """An image (RGB or L, any size) -> (3, H, W) float32. Raises SketchEmpty, SketchSolid."""
        return self.preprocess(image, purpose)

    def encode(self, batch: Vectors, *, is_alone: bool = False) -> Vectors:
        """(B, 3, H, W) float32 -> (B, E) float32, rows of length 1. `is_alone`: on several threads, if it has them."""
        session = self.lone if is_alone and self.lone is not None else self.session
        (embeddings,) = session.run([OUTPUT_NAME], {INPUT_NAME: batch})
        result: Vectors = embeddings
        return result
