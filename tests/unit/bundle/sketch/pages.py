"""One drawing on every kind of page: what it is on plain square paper is what it has to be on all of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from models.bundle import Frame, Purpose, SketchNormalisation, normalise_sketch, rasterise_strokes

SIDE = 215  # of 256: the longer side of a framed drawing

HOUSE = (
    [(0, 100), (0, 190), (160, 190), (160, 100)],
    [(-10, 105), (80, 20), (170, 105)],
    [(60, 190), (60, 130), (100, 130), (100, 190)],
    [(20, 130), (40, 130), (40, 150), (20, 150), (20, 130)],
    [(125, 60), (125, 30), (145, 30), (145, 80)],
)


def drawn(
    width: int,
    height: int,
    side: float,
    at: tuple[float, float],
    line: float,
    strokes: tuple[int, ...] = (0, 1, 2, 3, 4),
) -> Image.Image:
    """The house, its longer side `side`, its upper left corner `at`, on white paper."""
    scale = side / 180
    image = Image.new("L", (width * 4, height * 4), 255)
    draw = ImageDraw.Draw(image)
    for number in strokes:
        points = [(((x + 10) * scale + at[0]) * 4, ((y - 20) * scale + at[1]) * 4) for x, y in HOUSE[number]]
        draw.line(points, fill=0, width=max(1, round(line * 4)), joint="curve")
    return image.resize((width, height), Image.Resampling.BOX)


def seen(
    image: Image.Image, frame: Frame = "auto", *, in_detail: bool = False, alone: bool = False
) -> NDArray[np.uint8]:
    """What an encoder would see of it, at 128 px as those that are shipped do; (128, 128), 255 = paper."""
    view = normalise_sketch(image, SketchNormalisation(min_extent=0.2), Purpose(frame, in_detail, alone))
    return np.asarray(view.resize((128, 128), Image.Resampling.BILINEAR))


def likeness(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """Cosine of two views' ink, blurred by 1.5 pixels, about as far as encoders tell lines apart; 1 is the same."""
    vectors = []
    for view in (one, other):
        blurred = Image.fromarray(255 - view).filter(ImageFilter.GaussianBlur(1.5))
        ink = np.asarray(blurred, dtype=np.float64).ravel()
        vectors.append(ink / np.linalg.norm(ink))
    return float(vectors[0] @ vectors[1])


FRAMED = seen(rasterise_strokes(HOUSE), "false")
"""The house as its strokes are seen."""
