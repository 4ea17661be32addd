"""A drawing that is there as a small bitmap, redrawn with lines as thin as drawings usually have."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from models.bundle import StrokesInvalid
from models.data.datasets.records.sketch_source import CANVAS, Strokes

_ENLARGE = 4
_INK_FROM = 0.42  # of the enlarged bitmap: half of a soft line's darkness, a little less to keep thin lines whole
_PASSES = 7  # a line of the enlarged bitmap is at most twice as wide
_MARGIN = 0.08


# Comparing arrays gives an array, so a generated `==` would raise.
@dataclass(frozen=True, eq=False)
class BitmapSketch:
    """`ink` (H, W) uint8, H = W, 255 = ink: one of the 28 x 28 bitmaps of Quick, Draw!, for instance."""

    name: str
    ink: NDArray[np.uint8] = field(repr=False)

    def image(self) -> Image.Image:
        """RGB, black lines on white, the drawing filling the canvas less a margin. Raises StrokesInvalid if blank."""
        return redraw(self.ink, int(CANVAS)).convert("RGB")

    def strokes(self) -> Strokes | None:
        """None: a bitmap has no strokes."""
        return None

    def content(self) -> bytes:
        """The bitmap's bytes."""
        return self.ink.tobytes()


def redraw(ink: NDArray[np.uint8], size_px: int) -> Image.Image:
    """(H, W) ink -> L of `size_px` a side: enlarged, thinned to one pixel, framed, drawn with soft edges.

    Raises StrokesInvalid where no line is left.
    """
    bordered = np.pad(ink, 2)
    side = len(bordered) * _ENLARGE
    large = np.asarray(Image.fromarray(bordered).resize((side, side), Image.Resampling.BICUBIC))
    lines = thin(large > _INK_FROM * 255)
    ys, xs = np.nonzero(lines)
    if not len(ys):
        raise StrokesInvalid("the bitmap shows no line")
    crop = Image.fromarray((lines[ys.min() : ys.max() + 1, xs.min() : xs.max() + 1] * 255).astype(np.uint8))
    scale = size_px * (1 - 2 * _MARGIN) / max(crop.size)
    width, height = (max(1, round(length * scale)) for length in crop.size)
    # A line of one pixel becomes one of `scale` pixels with soft edges; the gain makes its middle black.
    drawn = np.asarray(crop.resize((width, height), Image.Resampling.BILINEAR), np.float32) * 1.6
    canvas = np.full((size_px, size_px), 255, np.uint8)
    top, left = (size_px - height) // 2, (size_px - width) // 2
    canvas[top : top + height, left : left + width] = 255 - np.minimum(drawn, 255).astype(np.uint8)
    return Image.fromarray(canvas)


def thin(ink: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(H, W) -> the same with lines one pixel wide (Zhang and Suen, CACM 1984)."""
    padded = np.pad(ink, 1).astype(np.uint8)
    middle = padded[1:-1, 1:-1]
    for _ in range(_PASSES):
        for first in (True, False):
            middle[_removable(padded, first=first)] = 0
    return middle.astype(bool)


def _removable(padded: NDArray[np.uint8], *, first: bool) -> NDArray[np.bool_]:
    """Conditions (a) to (d) of the paper, with the neighbours numbered clockwise from the one above."""
    # fmt: off
    above, right, below, left = padded[:-2, 1:-1], padded[1:-1, 2:], padded[2:, 1:-1], padded[1:-1, :-2]
    around = (above, padded[:-2, 2:], right, padded[2:, 2:], below, padded[2:, :-2], left, padded[:-2, :-2])
    # fmt: on
    count = np.sum(around, axis=0)
    turns = np.sum([(1 - around[i]) & around[(i + 1) % 8] for i in range(8)], axis=0)
    # The first pass takes the lower right border, the second the upper left one.
    inner, outer = (right & below, below & left) if first else (above & right, above & left)
    border = (inner & (above if first else left)) | (outer & (right if first else below))
    removable: NDArray[np.bool_] = (count >= 2) & (count <= 6) & (turns == 1) & (border == 0)
    removable &= padded[1:-1, 1:-1] == 1
    return removable
