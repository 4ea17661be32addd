"""One drawing on many pages: what a person would take for the same, drawn elsewhere, smaller, or with another pen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Strokes: TypeAlias = Sequence[NDArray[np.floating]]
"""In the order of drawing, each (P, 2) x, y in any unit, y downwards."""

Page: TypeAlias = Callable[[Strokes], Image.Image]

_SUPERSAMPLE = 4


def drawn(strokes: Strokes, page: tuple[int, int], side: float, at: tuple[float, float], line: float) -> Image.Image:
    """The strokes in a square of `side` pixels, its upper left corner `at`, on a white page (width, height): mode L.

    `line`: the pen's width in pixels. The longer side of the drawing fills the square, the other one is centred in it.
    """
    points = np.concatenate(list(strokes))
    low, high = points.min(axis=0), points.max(axis=0)
    scale = side * _SUPERSAMPLE / max(float((high - low).max()), 1e-9)
    centre = (np.array(at) + side / 2) * _SUPERSAMPLE
    image = Image.new("L", (page[0] * _SUPERSAMPLE, page[1] * _SUPERSAMPLE), 255)
    draw = ImageDraw.Draw(image)
    width = max(1, round(line * _SUPERSAMPLE))
    for stroke in strokes:
        placed = [(float(x), float(y)) for x, y in (stroke - (low + high) / 2) * scale + centre]
        if len(placed) > 1:
            draw.line(placed, fill=0, width=width, joint="curve")
        for x, y in (placed[0], placed[-1]):
            draw.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), fill=0)
    return image.resize(page, Image.Resampling.BOX)


def mirrored(strokes: Strokes) -> Strokes:
    """Left and right exchanged."""
    return [stroke * (-1.0, 1.0) for stroke in strokes]


def on(page: tuple[int, int], side: float, at: tuple[float, float], line: float) -> Page:
    """A page that every drawing is put on in the same way; see `drawn`."""
    return lambda strokes: drawn(strokes, page, side, at, line)


PAGES: dict[str, Page] = {
    "whole sheet": on((512, 512), 430, (41, 41), 5),
    "mirrored": lambda strokes: drawn(mirrored(strokes), (512, 512), 430, (41, 41), 5),
    "wide paper, 3 : 1": on((768, 256), 215, (20, 20), 2.5),
    "tall paper, 1 : 3": on((256, 768), 215, (20, 500), 2.5),
    "a fifth, in a corner": on((512, 512), 107, (10, 10), 1.25),
    "a third, in a corner": on((512, 512), 150, (330, 20), 2.5),
    "half, in a corner": on((512, 512), 212, (20, 20), 5),
    "half, in the middle": on((512, 512), 212, (150, 150), 5),
    "two thirds, in the middle": on((512, 512), 290, (111, 111), 5),
    "hairline, 0.5 of 256 px": on((512, 512), 430, (41, 41), 1),
    "felt tip, 6 of 256 px": on((512, 512), 430, (41, 41), 12),
    "marker, 10 of 256 px": on((512, 512), 430, (41, 41), 20),
    "marker, 20 of 256 px": on((512, 512), 430, (41, 41), 40),
    "marker, 28 of 256 px": on((512, 512), 430, (41, 41), 56),
}
"""By name; the first is what the others are compared with."""
