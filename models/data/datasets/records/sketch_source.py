"""A sketch wherever it lies: an image file, strokes in memory, or strokes in a JSON file. All are read when asked."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from models.bundle import StrokeLimits, StrokesInvalid, decode_image, rasterise_strokes

Strokes: TypeAlias = tuple[NDArray[np.float32], ...]

CANVAS = 256.0  # side of the square on which the QMUL vector sketches were drawn


class SketchSource(Protocol):
    """Where a sketch comes from. `name` identifies it within its set."""

    @property
    def name(self) -> str:
        """Path below the data set's folder, or the key in its archive."""

    def image(self) -> Image.Image:
        """RGB, as drawn: transparency composited so that the ink shows. Raises ImageError."""

    def strokes(self) -> Strokes | None:
        """Each (P, 2) x, y on a canvas of 256 x 256, y downwards; None where none are known. Raises StrokesInvalid."""

    def content(self) -> bytes:
        """What is equal for two copies of one sketch. Raises ImageError."""


@dataclass(frozen=True)
class ImageSketch:
    """An image file. Ink may be its alpha channel, and light on dark as well."""

    name: str
    path: Path

    def image(self) -> Image.Image:
        """See SketchSource."""
        return decode_image(self.path.read_bytes(), matte="contrast").image

    def strokes(self) -> Strokes | None:
        """None: an image file has no strokes."""
        return None

    def content(self) -> bytes:
        """The file's bytes."""
        return self.path.read_bytes()


@dataclass(frozen=True, eq=False)
class StrokeSketch:
    """Strokes in memory: `points` (P, 3) are absolute x, y on a 256 x 256 canvas and 1 on a stroke's last point."""

    name: str
    points: NDArray[np.float32] = field(repr=False)

    def image(self) -> Image.Image:
        """See SketchSource; keeps the drawing's place on the canvas."""
        return draw_in_place(self.strokes())

    def strokes(self) -> Strokes:
        """The points cut after each pen-up; the last stroke may lack its flag."""
        return split_strokes(self.points)

    def content(self) -> bytes:
        """The points' bytes."""
        return self.points.tobytes()


@dataclass(frozen=True)
class JsonStrokeSketch:
    """FS-COCO's raw drawing: points with `coordinates` from 0 to 1 and a `pen_state`, draw [0 1 0] or lift [1 0 0]."""

    name: str
    path: Path

    def image(self) -> Image.Image:
        """See SketchSource; keeps the drawing's place on the canvas."""
        return draw_in_place(self.strokes())

    def strokes(self) -> Strokes:
        """The points in the order of the file, cut after each lifted pen."""
        try:
            rows = [_json_point(point) for point in json.loads(self.path.read_bytes())]
        except (ValueError, TypeError, LookupError, ArithmeticError, RecursionError) as error:
            raise StrokesInvalid(f"{self.path.name} is no list of points with coordinates and pen_state") from error
        with np.errstate(over="ignore"):  # what no float32 holds becomes infinite, and is refused when drawn
            return split_strokes(np.array(rows, dtype=np.float64).reshape(-1, 3).astype(np.float32))

    def content(self) -> bytes:
        """The file's bytes."""
        return self.path.read_bytes()


def draw_in_place(strokes: Strokes) -> Image.Image:
    """Strokes on the 256 x 256 canvas -> RGB of that size, black on white, nothing moved or scaled.

    Raises StrokesInvalid.
    """
    if any(np.abs(stroke).max() > 4 * CANVAS for stroke in strokes):
        raise StrokesInvalid(f"the drawing is far off its canvas of {CANVAS:.0f} x {CANVAS:.0f}")
    limits = StrokeLimits(max_strokes=20_000, max_points=500_000)  # scenes have far more of both than single objects
    return rasterise_strokes(strokes, canvas_px=int(CANVAS), frame=CANVAS, limits=limits).convert("RGB")


def split_strokes(points: NDArray[np.float32]) -> Strokes:
    """(P, 3) x, y, pen-up -> strokes (P_i, 2), read-only."""
    ends = np.flatnonzero(points[:, 2] > 0.5) + 1
    parts = np.split(points[:, :2], ends)
    return tuple(part for part in parts if len(part))


def _json_point(point: Any) -> tuple[float, float, float]:
    x, y = (float(value) * CANVAS for value in point["coordinates"])
    lifted = int(float(point["pen_state"][0])) == 1
    return x, y, float(lifted)
