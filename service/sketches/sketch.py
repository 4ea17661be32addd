"""A sketch before it is decoded: the bytes of an image file, or the strokes of a vector drawing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class EncodedImage:
    """An image file's bytes, of whatever format; nothing about them is checked yet."""

    data: bytes

    @property
    def content(self) -> tuple[object, ...]:
        """Equal for equal sketches, to be hashed."""
        return (self.data,)


@dataclass(frozen=True, slots=True)
class Strokes:
    """A vector drawing, each stroke (P, 2) x and y in any unit, y downwards; its limits are not checked yet."""

    strokes: tuple[NDArray[np.float64], ...]

    @property
    def content(self) -> tuple[object, ...]:
        """Equal for equal sketches, to be hashed."""
        return tuple(stroke.tobytes() for stroke in self.strokes)


Sketch: TypeAlias = EncodedImage | Strokes
