"""Other views of a photo: its middle, and a drawing made of it by machine."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count

import numpy as np
from PIL import Image, ImageOps

from models.arrays import Vectors
from models.bundle import ANYWHERE, ImageEncoder, Preprocess, Purpose
from models.bundle.embedding import WrappedEncoder
from models.data.builders.synthetic import line_drawings, random_styles
from models.images.line_drawing import PAGE_PX, drawn

_CLOSER = 1.15
# How far a person's drawing is off in place and size, roughly: see `AugmentConfig`.
_MOST_SCALE, _MOST_SHIFT, _MOST_TURN_DEG = 0.2, 0.06, 6.0


@dataclass(frozen=True)
class CloserEncoder(WrappedEncoder):
    """Sees the middle of an image, 1.15 times as large."""

    def prepare(self, image: Image.Image, purpose: Purpose = ANYWHERE) -> Vectors:
        """(RGB or L, any size) -> one input."""
        width, height = image.size
        left, top = width * (1 - 1 / _CLOSER) / 2, height * (1 - 1 / _CLOSER) / 2
        box = (round(left), round(top), round(width - left), round(height - top))
        return self.encoder.prepare(image.crop(box), purpose)


@dataclass(frozen=True)
class DrawnEncoder:
    """A photo -> the sketch encoder's embedding of a drawing of it: its edges, moved as a hand would.

    Each drawing has its own style and deformation, by `seed` and the order in which photos come.
    """

    photo: ImageEncoder
    sketch: ImageEncoder
    seed: int
    _number: count[int] = field(default_factory=count, compare=False, repr=False)

    @property
    def preprocess(self) -> Preprocess:
        """Of the photos: files are photos."""
        return self.photo.preprocess

    @property
    def embedding_dim(self) -> int:
        """Length E."""
        return self.sketch.embedding_dim

    def view(self, image: Image.Image, purpose: Purpose = ANYWHERE) -> Image.Image:
        """What is seen of the drawing."""
        return self.sketch.view(self._drawing(image), purpose)

    def prepare(self, image: Image.Image, purpose: Purpose = ANYWHERE) -> Vectors:
        """A photo -> one input of the sketch encoder. Raises SketchEmpty, SketchSolid."""
        return self.sketch.prepare(self._drawing(image), purpose)

    def encode(self, batch: Vectors) -> Vectors:
        """(B, ...) -> (B, E)."""
        return self.sketch.encode(batch)

    def _drawing(self, image: Image.Image) -> Image.Image:
        """As the training's generator draws, moved as a hand would."""
        number = self.seed * 1_000_003 + next(self._number)
        (drawing,) = line_drawings([image.convert("RGB")], styles=random_styles(number, 1, 1))
        return _moved(drawing, number)


@dataclass(frozen=True)
class LinedEncoder(DrawnEncoder):
    """The same of the lines that the service draws: the strongest edges, bent a little."""

    def _drawing(self, image: Image.Image) -> Image.Image:
        page = drawn(image, self.seed * 1_000 + next(self._number))
        # One upright line, which matches nothing, where there is no edge: an empty page would be no sketch at all.
        return (page or ImageOps.expand(Image.new("L", (4, PAGE_PX // 2)), PAGE_PX // 4, 255)).convert("RGB")


def _moved(drawing: Image.Image, number: int) -> Image.Image:
    random = np.random.default_rng([number, 1])
    across, down = np.exp(random.uniform(-_MOST_SCALE, _MOST_SCALE, 2))
    shift = random.uniform(-_MOST_SHIFT, _MOST_SHIFT, 2) * drawing.width
    angle = np.deg2rad(random.uniform(-_MOST_TURN_DEG, _MOST_TURN_DEG))
    middle = drawing.width / 2
    # Of each pixel of the page, where it comes from.
    turn = np.array([[np.cos(angle) * across, -np.sin(angle)], [np.sin(angle), np.cos(angle) * down]])
    origin = middle - turn @ np.array([middle, middle]) + shift
    place = (turn[0, 0], turn[0, 1], origin[0], turn[1, 0], turn[1, 1], origin[1])
    return drawing.transform(
        drawing.size, Image.Transform.AFFINE, place, Image.Resampling.BILINEAR, fillcolor=255
    ).convert("RGB")
