"""Lines of any width to lines of one pixel.

T. Y. Zhang, C. Y. Suen: A fast parallel algorithm for thinning digital patterns, CACM 27 (3), 1984. The whole picture
is one integer, a bit for each pixel, so that a step over 128 x 128 pixels takes some hundred operations on 2 kB.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def thinned(ink: NDArray[np.bool_], steps: int) -> NDArray[np.bool_]:
    """(H, W) -> (H, W): after `steps`, lines up to about twice as many pixels wide are one pixel wide."""
    # A free pixel around the picture: no bit that is shifted out of a row reaches a pixel of the next one.
    padded = np.pad(ink, 1)
    height, row = padded.shape
    pixels = int.from_bytes(np.packbits(padded).tobytes(), "big") >> (-padded.size % 8)
    for _ in range(steps):
        before = pixels
        for first in (True, False):
            pixels = _peeled(pixels, row, first=first)
        if pixels == before:
            break
    data = np.frombuffer((pixels << (-padded.size % 8)).to_bytes((padded.size + 7) // 8, "big"), dtype=np.uint8)
    bits = np.unpackbits(data, count=padded.size).reshape(height, row)
    return bits[1:-1, 1:-1].astype(np.bool_)


def _peeled(pixels: int, row: int, *, first: bool) -> int:
    """One pass of the paper's two: edge pixels to the south-east (`first`) or north-west are removed."""
    above, below = pixels >> row, pixels << row
    # p2 to p9 of the paper: clockwise from above.
    p = (above, above << 1, pixels << 1, below << 1, below, below >> 1, pixels >> 1, above >> 1)
    north_south, east_west = p[0] & p[4], p[2] & p[6]
    once, twice = _at_least_twice([~p[number] & p[(number + 1) % 8] for number in range(8)])
    inner = (p[2] & north_south) | (p[4] & east_west) if first else (p[6] & north_south) | (p[0] & east_west)
    _, two_drawn = _at_least_twice(p)
    _, two_free = _at_least_twice([~neighbour for neighbour in p])
    removed = once & ~twice & two_drawn & two_free & ~inner
    return pixels & ~removed


def _at_least_twice(bits: Sequence[int]) -> tuple[int, int]:
    """Which bits are set in at least one of the numbers, and which in at least two."""
    once = twice = 0
    for number in bits:
        twice |= once & number
        once |= number
    return once, twice
