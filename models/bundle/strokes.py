"""Strokes (vector drawings) to a raster sketch like the ones that the encoders were trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image, ImageDraw

from models.bundle.errors import StrokesInvalid

STROKE_CANVAS_PX = 256
STROKE_LINE_PX = 2.5
STROKE_MARGIN = 0.08
"""How strokes are drawn for the encoders: side of the canvas, width of the lines, share of the side left free."""

_SUPERSAMPLE = 4  # Pillow draws no anti-aliased lines; draw large, then reduce
_NEARLY_BACK = (1e-12, 1e-6)  # sine of the angle between a segment and the one before, reversed
_SMALLEST = 1e-300  # extent of a drawing whose scale is still a number
_RESOLUTION = 1e-12  # of a coordinate: what double precision still tells apart, with some room


@dataclass(frozen=True)
class StrokeLimits:
    """Largest accepted drawing: strokes, points over all of them, and how long they are, in sides of the canvas.

    Drawing takes time for each pixel of a line: 50,000 lines from corner to corner would take 1.5 s, 4,000 take 0.1 s,
    and leave no white on the canvas.
    """

    max_strokes: int = 2_000
    max_points: int = 50_000
    max_sides: int = 4_000


def rasterise_strokes(
    strokes: Sequence[ArrayLike],
    *,
    canvas_px: int = STROKE_CANVAS_PX,
    line_px: float = STROKE_LINE_PX,
    margin: float = STROKE_MARGIN,
    frame: float | None = None,
    limits: StrokeLimits | None = None,
) -> Image.Image:
    """Strokes, each (P, 2) x, y in any unit, y downwards -> (canvas_px, canvas_px) L, black on white, anti-aliased.

    The drawing is scaled to the canvas, aspect kept, with `margin` (share of the side) left free all around. With
    `frame`, the side of the square that it was drawn on (from 0, 0), it keeps its place and size there instead.
    Raises StrokesInvalid.
    """
    checked = _check(strokes, limits or StrokeLimits())
    side = canvas_px * _SUPERSAMPLE
    if frame is None:
        points = np.concatenate(checked)
        low, high = points.min(axis=0), points.max(axis=0)
        extent = float((high - low).max())
        # A drawing that is smaller than its coordinates can tell is a dot.
        drawn = extent > max(_RESOLUTION * np.abs(points).max(), _SMALLEST)
        scale = side * (1 - 2 * margin) / extent if drawn else 0.0
        origin, centre = low / 2 + high / 2, side / 2
    else:
        scale, origin, centre = side / frame, np.zeros(2), 0.0

    _reject_too_long(checked, scale / side, limits or StrokeLimits())
    image = Image.new("L", (side, side), 255)
    draw = ImageDraw.Draw(image)
    width = max(1, round(line_px * _SUPERSAMPLE))
    radius = width / 2
    for stroke in checked:
        for part in _between_reversals((stroke - origin) * scale + centre):
            placed = [(float(x), float(y)) for x, y in part]
            if len(placed) > 1:
                draw.line(placed, fill=0, width=width, joint="curve")
            for x, y in (placed[0], placed[-1]):  # round caps; a stroke of one point is a dot
                draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=0)
    return image.resize((canvas_px, canvas_px), Image.Resampling.BOX)


def _between_reversals(points: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """(P, 2) -> the stroke cut where it turns back on itself nearly, not quite: Pillow's joint is then a line across
    the whole canvas."""
    steps = np.diff(points, axis=0)
    before, after = steps[:-1], steps[1:]
    turned = np.abs(before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0])
    lengths = np.linalg.norm(before, axis=1) * np.linalg.norm(after, axis=1)
    least, most = _NEARLY_BACK
    back = (np.einsum("pd,pd->p", before, after) < 0) & (turned > least * lengths) & (turned < most * lengths)
    cuts = [0, *(np.flatnonzero(back) + 1), len(points) - 1]
    return [points[first : last + 1] for first, last in pairwise(cuts)] if len(points) > 1 else [points]


def _reject_too_long(strokes: Sequence[NDArray[np.float64]], sides: float, limits: StrokeLimits) -> None:
    length = sides * sum(float(np.abs(np.diff(stroke, axis=0)).sum()) for stroke in strokes)
    if length > limits.max_sides:
        raise StrokesInvalid(
            f"the strokes are {length:,.0f} times as long as the drawing's side; at most {limits.max_sides:,} are drawn"
        )


def _check(strokes: Sequence[ArrayLike], limits: StrokeLimits) -> list[NDArray[np.float64]]:
    if len(strokes) == 0:
        raise StrokesInvalid("the drawing has no strokes")
    if len(strokes) > limits.max_strokes:
        raise StrokesInvalid(f"the drawing has {len(strokes):,} strokes; at most {limits.max_strokes:,} are accepted")
    checked = []
    total = 0
    for number, stroke in enumerate(strokes):
        try:
            array = np.asarray(stroke, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise StrokesInvalid(f"stroke {number} is not a list of x, y numbers: {error}") from error
        if array.ndim != 2 or array.shape[1] != 2 or array.shape[0] == 0:
            raise StrokesInvalid(
                f"stroke {number} has shape {array.shape}; (points, 2) with at least one point is expected"
            )
        if not np.isfinite(array).all() or np.abs(array).max() > 1e9:
            raise StrokesInvalid(f"stroke {number} has a coordinate that is not finite or beyond 1e9")
        total += len(array)
        if total > limits.max_points:
            raise StrokesInvalid(f"the drawing has more than {limits.max_points:,} points")
        checked.append(array)
    return checked
