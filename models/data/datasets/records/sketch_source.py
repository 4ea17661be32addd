"""A sketch wherever it lies: the interface, an image file, and strokes in memory. Each is read when it is needed."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from models.bundle import SKETCH_MATTE, StrokeLimits, StrokesInvalid, open_image, rasterise_strokes

Strokes: TypeAlias = tuple[NDArray[np.float32], ...]
"""In the order of drawing, each (P, 2) x, y on a canvas of 256 x 256, y downwards."""

CANVAS = 256.0  # side of the square of QMUL's vector sketches and of Quick, Draw!


class SketchSource(Protocol):
    """Where a sketch comes from. `name` identifies it within its data set."""

    @property
    def name(self) -> str:
        """Path below the data set's folder, with a line number in a file of many sketches, or a key in an archive."""

    def image(self) -> Image.Image:
        """RGB, as drawn: transparency composited so that the ink shows. Raises ImageError, OSError."""

    def strokes(self) -> Strokes | None:
        """The strokes, or None where the data set has the image alone. Raises StrokesInvalid, OSError."""

    def content(self) -> bytes:
        """Bytes that are equal for two copies of one sketch. Raises ImageError, OSError."""


@dataclass(frozen=True)
class ImageSketch:
    """An image file. Ink may be its alpha channel, and light on dark as well."""

    name: str
    path: Path

    def image(self) -> Image.Image:
        """The file decoded, on white or on black, whichever shows what is visible of it."""
        return open_image(self.path, matte=SKETCH_MATTE).image

    def strokes(self) -> Strokes | None:
        """None: an image file has no strokes."""
        return None

    def content(self) -> bytes:
        """The file's bytes."""
        return self.path.read_bytes()


# Comparing arrays gives an array, so a generated `==` would raise.
@dataclass(frozen=True, eq=False)
class StrokeSketch:
    """Strokes in memory: `points` (P, 3) are absolute x, y on a 256 x 256 canvas and 1 on a stroke's last point."""

    name: str
    points: NDArray[np.float32] = field(repr=False)

    def image(self) -> Image.Image:
        """The strokes rasterised, at their place on the canvas."""
        return draw_in_place(self.strokes())

    def strokes(self) -> Strokes:
        """The points cut after each pen-up; the last stroke may lack its flag."""
        return split_strokes(self.points)

    def content(self) -> bytes:
        """The points' bytes."""
        return self.points.tobytes()


def draw_in_place(strokes: Strokes) -> Image.Image:
    """Strokes on the 256 x 256 canvas -> RGB of that size, black on white, nothing moved or scaled.

    Raises StrokesInvalid.
    """
    if any(np.abs(stroke).max() > 4 * CANVAS for stroke in strokes):
        raise StrokesInvalid(f"the drawing is far off its canvas of {CANVAS:.0f} x {CANVAS:.0f}")
    limits = StrokeLimits(max_strokes=20_000, max_points=500_000)  # scenes have far more of both than single objects
    return rasterise_strokes(strokes, canvas_px=int(CANVAS), frame=CANVAS, limits=limits).convert("RGB")


def split_strokes(points: NDArray[np.float32]) -> Strokes:
    """(P, 3) x, y, pen-up -> strokes (P_i, 2), none of them empty."""
    ends = np.flatnonzero(points[:, 2] > 0.5) + 1
    parts = np.split(points[:, :2], ends)
    # A pen-up on the last point leaves an empty part behind it.
    return tuple(part for part in parts if len(part))
