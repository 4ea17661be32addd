"""What an encoder sees: a file decoded on its modality's matte, then a normalised square image as a float tensor.

Training, evaluation, indexing and serving share this code, so that no two of them feed an encoder differently. Training
alone passes `AS_DRAWN`: data sets' drawings lie where their photos have the thing.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field, model_validator

from models.arrays import Vectors
from models.bundle.ground import trimmed
from models.bundle.sketch import ANYWHERE, Purpose, SketchNormalisation, levels_of, normalise_sketch
from models.images import (
    MATTE_LEVEL,
    PHOTO_MATTE,
    SKETCH_MATTE,
    DecodedImage,
    ImageFile,
    ImageLimits,
    Matte,
    open_image,
)

Modality = Literal["sketch", "photo"]


def mirrored(inputs: Vectors) -> Vectors:
    """(..., H, W) inputs of an encoder -> the same shape, each flipped left to right, contiguous."""
    # A flipped view has a negative stride, which encoders in torch refuse (`torch.from_numpy`).
    return np.ascontiguousarray(inputs[..., ::-1])


class Preprocess(BaseModel):
    """How an image becomes an encoder's input.

    `size_px`: side of the square input. `fit`: a photo that is not square is padded ("pad") with white, or its
    matte, or squeezed ("stretch"). `mean`, `std`: per RGB channel, of values in [0, 1]. `sketch`: the normalisation of
    sketches, None for photos. `trim`: photos of something on a plain ground are cut to it, see `ground.trimmed`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    size_px: int = Field(ge=8, le=1024)
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    fit: Literal["pad", "stretch"] = "pad"
    sketch: SketchNormalisation | None = None
    trim: bool = False

    @model_validator(mode="after")
    def _trims_photos_alone(self) -> Preprocess:
        if self.trim and self.sketch is not None:
            raise ValueError("sketches are framed by their normalisation; trim is for photos")
        return self

    def identity(self) -> dict[str, Any]:
        """What two bundles must share for their inputs to be equal, as plain values."""
        values = self.model_dump(mode="json")
        if not self.trim:
            # Bundles of before this option have identities without it, and their indexes stay valid.
            del values["trim"]
        return values

    @property
    def modality(self) -> Modality:
        """Sketch encoders are those that normalise sketches."""
        return "photo" if self.sketch is None else "sketch"

    @property
    def matte(self) -> Matte:
        """What transparency is composited on: photos on white unless it swallows them, sketches on what shows ink."""
        return PHOTO_MATTE if self.sketch is None else SKETCH_MATTE

    def decode(
        self, file: ImageFile, limits: ImageLimits | None = None, *, draft_px: int | None = None
    ) -> DecodedImage:
        """A file, its bytes or an opened image -> upright 8-bit RGB, for a grey sketch L, on this modality's matte.

        Raises ImageTooLarge, ImageUnsupported, ImageUnreadable, OSError.
        """
        # Three equal channels would be compared and then averaged again: 0.12 ms for the same levels.
        return open_image(file, limits, draft_px=draft_px, matte=self.matte, keep_grey=self.sketch is not None)

    def read(self, file: ImageFile, limits: ImageLimits | None = None) -> Vectors:
        """A file, its bytes or an opened image -> (3, size_px, size_px) float32. Raises ImageError, OSError."""
        return self(self.decode(file, limits).image)

    def view(self, image: Image.Image, purpose: Purpose = ANYWHERE) -> Image.Image:
        """What the model sees: (size_px, size_px), L for sketches, RGB for photos; `purpose`: of a sketch.

        Raises SketchEmpty, SketchSolid.
        """
        if self.sketch is not None:
            return self._scaled(normalise_sketch(image, self.sketch, purpose))
        if self.trim:
            image = trimmed(image if image.mode == "RGB" else image.convert("RGB"))
        if self.fit == "pad" and image.width != image.height:
            scale = self.size_px / max(image.size)
            size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
            shrunk = image.convert("RGB").resize(size, Image.Resampling.BILINEAR, reducing_gap=3.0)
            seen = Image.new("RGB", (self.size_px, self.size_px), (image.info.get(MATTE_LEVEL, 255),) * 3)
            seen.paste(shrunk, ((self.size_px - size[0]) // 2, (self.size_px - size[1]) // 2))
        else:
            seen = image.convert("RGB")
        return self._scaled(seen)

    def _scaled(self, seen: Image.Image) -> Image.Image:
        size = (self.size_px, self.size_px)
        return seen if seen.size == size else seen.resize(size, Image.Resampling.BILINEAR, reducing_gap=3.0)

    def tensor(self, view: Image.Image) -> Vectors:
        """A view, L or RGB of size_px squared -> (3, size_px, size_px) float32: (value / 255 - mean) / std."""
        # Levels as numbers once for all channels of a grey view.
        pixels = levels_of(view).astype(np.float32) if view.mode == "L" else np.asarray(view)
        out = np.empty((3, self.size_px, self.size_px), dtype=np.float32)
        # Channel by channel into a preallocated array: six times cheaper than one expression over (H, W, 3).
        for channel, plane in enumerate(out):
            seen = pixels if pixels.ndim == 2 else pixels[..., channel]
            np.multiply(seen, np.float32(1 / (255 * self.std[channel])), out=plane)
            np.subtract(plane, np.float32(self.mean[channel] / self.std[channel]), out=plane)
        return out

    def __call__(self, image: Image.Image, purpose: Purpose = ANYWHERE) -> Vectors:
        """An image (RGB or L, any size) -> (3, size_px, size_px) float32. Raises SketchEmpty, SketchSolid."""
        return self.tensor(self.view(image, purpose))
