"""Histograms of oriented gradients (Dalal & Triggs, CVPR 2005): a baseline that compares layout and learned nothing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_BINS = 9
_CLIP = 0.2


def hog(grey: NDArray[np.float32], cell_px: int = 16) -> NDArray[np.float32]:
    """(H, W) -> (D,), of length 1 (or 0 for a blank image); H and W are multiples of `cell_px`.

    Unsigned orientations in nine bins with linear interpolation between two, cells in overlapping 2 x 2 blocks, each
    block normalised, clipped at 0.2 and normalised again.
    """
    height, width = grey.shape
    dy, dx = np.gradient(grey)
    strength = np.hypot(dx, dy)
    # Bin b has its centre at (b + 0.5) / 9 of half a turn; modulo pi a stroke has the same orientation both ways.
    position = (np.arctan2(dy, dx) % np.pi) / np.pi * _BINS - 0.5
    lower = np.floor(position).astype(np.int64)
    upper_share = position - lower
    rows, columns = np.indices(grey.shape) // cell_px
    cells = np.zeros((height // cell_px, width // cell_px, _BINS), dtype=np.float64)
    # `cells[...] +=` would count a repeated index once. Orientations are cyclic: beside the first bin lies the last.
    np.add.at(cells, (rows, columns, lower % _BINS), strength * (1 - upper_share))
    np.add.at(cells, (rows, columns, (lower + 1) % _BINS), strength * upper_share)
    blocks = np.concatenate([cells[:-1, :-1], cells[:-1, 1:], cells[1:, :-1], cells[1:, 1:]], axis=-1)
    clipped = np.minimum(_unit(blocks), _CLIP)
    return _unit(_unit(clipped).ravel()).astype(np.float32)


def _unit(values: NDArray[np.float64]) -> NDArray[np.float64]:
    length = np.linalg.norm(values, axis=-1, keepdims=True)
    result: NDArray[np.float64] = values / np.maximum(length, 1e-6)
    return result
