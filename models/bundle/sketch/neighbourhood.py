"""The least or the most of what surrounds each pixel: erosion and dilation by a square."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Pixel = TypeVar("Pixel", np.uint8, np.bool_)


def spread(padded: NDArray[Pixel], radius: int, combine: np.ufunc) -> NDArray[Pixel]:
    """(H + 2 radius, W + 2 radius) -> (H, W): `combine` (minimum, maximum) over the square around each pixel."""
    out = padded
    for axis in (0, 1):
        # Windows of 1, 2, 4, ... pixels, each of two of those before; the last two overlap.
        reach = 1
        while reach < 2 * radius + 1:
            step = min(reach, 2 * radius + 1 - reach)
            rest = out.shape[axis] - step
            out = combine(out[:rest], out[step:]) if axis == 0 else combine(out[:, :rest], out[:, step:])
            reach += step
    return out
