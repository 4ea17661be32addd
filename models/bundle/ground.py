"""Product photos: what stands on a plain ground, cut out with an even margin.

A sketch fills its page, and a photo of a product may leave it half empty: then neither size nor place agree, which an
encoder of layouts goes by. Scenes have no plain ground and stay as they are.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_WORK_PX = 256  # longer side of the copy that is measured
_RING_SHARE = 0.02  # of the shorter side: how wide a border has to be plain
_PLAIN_SHARE = 0.95  # of the border
_TOLERANCE = 16  # of 255, in any channel: noise, JPEG's blocks and soft light
_LEAST_SHARE = 0.005  # of a row or column: what is less is dust
_WIDE_EXTENT = 0.8  # of the longer side: an object that covers more has no wide margin
_LEAST_EXTENT = 0.1  # what covers less is a speck, with nothing to see in it when it is enlarged
_MARGIN = 0.08  # of the trimmed square, on each side: as `rasterise_strokes` leaves

Colours: TypeAlias = NDArray[np.int16]


def trimmed(image: Image.Image) -> Image.Image:
    """RGB of any size -> RGB square around what is not ground; the same object where nothing is trimmed.

    Nothing is where the border has several colours, where the object reaches over most of the picture, where it is a
    speck, and where there is none.
    """
    pixels = np.asarray(_reduced(image), dtype=np.int16)
    ground = _plain_ground(pixels)
    if ground is None:
        return image
    on = np.abs(pixels - ground).max(axis=2) > _TOLERANCE
    rows, columns = (np.flatnonzero(on.mean(axis=axis) > _LEAST_SHARE) for axis in (1, 0))
    if not len(rows) or not len(columns):
        return image
    scale = max(image.size) / max(on.shape)
    left, top, right, bottom = (edge * scale for edge in (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1))
    extent = max(right - left, bottom - top)
    if not _LEAST_EXTENT <= extent / max(image.size) <= _WIDE_EXTENT:
        return image
    side = max(1, round(extent / (1 - 2 * _MARGIN)))
    square = Image.new("RGB", (side, side), tuple(int(level) for level in ground))
    square.paste(image, (round((side - left - right) / 2), round((side - top - bottom) / 2)))
    return square


def _reduced(image: Image.Image) -> Image.Image:
    factor = -(-max(image.size) // _WORK_PX)
    return image.reduce(factor) if factor > 1 else image


def _plain_ground(pixels: Colours) -> Colours | None:
    """(H, W, 3) -> the colour of the border, (3,); None where it has several."""
    width = max(1, round(_RING_SHARE * min(pixels.shape[:2])))
    edges = (pixels[:width], pixels[-width:], pixels[:, :width], pixels[:, -width:])
    ring = np.concatenate([edge.reshape(-1, 3) for edge in edges])
    ground: Colours = np.median(ring, axis=0).astype(np.int16)
    plain = (np.abs(ring - ground).max(axis=1) <= _TOLERANCE).mean()
    return ground if plain >= _PLAIN_SHARE else None
