"""Product photos: what stands on a plain ground, cut out with an even margin.

A sketch fills its page, and a photo of a product may leave it half empty: then neither size nor place agree, which an
encoder of layouts goes by. Scenes have no plain ground and stay as they are.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops

from models.bundle.alone import WIDE_EXTENT

_WORK_PX = 256  # longer side of the copy that is measured
_RING_SHARE = 0.02  # of the shorter side: how wide a border has to be plain
_PLAIN_SHARE = 0.95  # of the border
_TOLERANCE = 16  # of 255, in any channel: noise, JPEG's blocks and soft light
_LEAST_SHARE = 0.005  # of a row or column: what is less is dust
_LEAST_EXTENT = 0.1  # what covers less is a speck, with nothing to see in it when it is enlarged
_MARGIN = 0.08  # of the trimmed square, on each side: as `rasterise_strokes` leaves


def trimmed(image: Image.Image) -> Image.Image:
    """RGB of any size -> RGB square around what is not ground; the same object where nothing is trimmed.

    Nothing is where the border has several colours, where the object reaches over most of the picture, where it is a
    speck, and where there is none.
    """
    thing = _thing_on_ground(image)
    if thing is None or thing.extent > WIDE_EXTENT * max(image.size):
        return image
    ground, (left, top, right, bottom), extent = thing.ground, thing.box, thing.extent
    side = max(1, round(extent / (1 - 2 * _MARGIN)))
    square = Image.new("RGB", (side, side), ground)
    square.paste(image, (round((side - left - right) / 2), round((side - top - bottom) / 2)))
    return square


def stands_alone(image: Image.Image) -> bool:
    """Whether an RGB image shows a thing on a plain ground, or several, with or without a margin around them."""
    return _thing_on_ground(image) is not None


class _Thing(NamedTuple):
    """What is not ground: the pixels (left, top, right, bottom) of the image, and the box's longer side."""

    ground: tuple[int, int, int]
    box: tuple[float, float, float, float]
    extent: float


def _thing_on_ground(image: Image.Image) -> _Thing | None:
    """None where the border has several colours, and where all is ground but for specks."""
    small = _reduced(image)
    ground = _plain_ground(small)
    if ground is None:
        return None
    on = _other_than(small, ground)
    rows, columns = (np.flatnonzero(on.mean(axis=axis) > _LEAST_SHARE) for axis in (1, 0))
    if not len(rows) or not len(columns):
        return None
    scale = max(image.size) / max(on.shape)
    left, top, right, bottom = (edge * scale for edge in (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1))
    extent = max(right - left, bottom - top)
    if extent < _LEAST_EXTENT * max(image.size):
        return None
    return _Thing(ground, (left, top, right, bottom), extent)


def _reduced(image: Image.Image) -> Image.Image:
    factor = -(-max(image.size) // _WORK_PX)
    return image.reduce(factor) if factor > 1 else image


def _other_than(image: Image.Image, ground: tuple[int, int, int]) -> NDArray[np.bool_]:
    """(H, W): where any channel differs from the ground by more than the tolerance."""
    # Pillow's loops over bytes: a maximum over a last axis of three costs numpy twenty times as long.
    red, green, blue = ImageChops.difference(image, Image.new("RGB", image.size, ground)).split()
    return np.asarray(ImageChops.lighter(ImageChops.lighter(red, green), blue)) > _TOLERANCE


def _plain_ground(image: Image.Image) -> tuple[int, int, int] | None:
    """The colour of the border, channel by channel the median; None where it has several."""
    wide, high = image.size
    ring_px = max(1, round(_RING_SHARE * min(wide, high)))
    edges = (
        (0, 0, wide, ring_px),
        (0, high - ring_px, wide, high),
        (0, 0, ring_px, high),
        (wide - ring_px, 0, wide, high),
    )
    # Cut out before they are copied: the whole picture as an array costs more than all the rest.
    ring = np.concatenate([np.asarray(image.crop(edge)).reshape(-1, 3) for edge in edges])
    red, green, blue = (_median(ring[:, channel]) for channel in range(3))
    differs = np.zeros(len(ring), bool)
    for channel, level in enumerate((red, green, blue)):
        differs |= np.abs(ring[:, channel].astype(np.int16) - level) > _TOLERANCE
    return (red, green, blue) if (~differs).mean() >= _PLAIN_SHARE else None


def _median(levels: NDArray[np.uint8]) -> int:
    """Of 8-bit levels, rounded down; counted, which takes a tenth of the time of sorting."""
    below = np.cumsum(np.bincount(levels, minlength=256))
    lower, upper = np.searchsorted(below, [(len(levels) - 1) // 2, len(levels) // 2], side="right").tolist()
    return int(lower + upper) // 2
