"""Metrics from drawings that a machine made of the category's photos: no example of a person is needed.

Within-class covariance normalisation (Hatch et al., Interspeech 2006): directions in which drawings of one photo differ
from it count for less.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from models.arrays import Vectors

_CELLS = 25


def within_metric(drawn: Vectors, photos: Vectors, *, shrinkage: float, power: float) -> Callable[[Vectors], Vectors]:
    """(G, D, E) drawings of (G, E) photos -> (N, E) -> (N, E), along each axis times (1 + v / floor) ** -power.

    v: the variance within photos along the axis; `floor`: `shrinkage` times its mean over the axes that there are.
    """
    residual = drawn - photos[:, None, :]
    # What all drawings have in common is no variation among them.
    residual = (residual - residual.mean(axis=(0, 1))).reshape(-1, photos.shape[1])
    _, singular, axes = np.linalg.svd(residual, full_matrices=False)
    variances = singular**2 / len(residual)
    gains = ((1 + variances / max(shrinkage * float(variances.mean()), 1e-12)) ** -power - 1).astype(np.float32)

    def turn(rows: Vectors) -> Vectors:
        turned: Vectors = rows + ((rows @ axes.T) * gains) @ axes
        return turned

    return turn


def cell_gains(drawn: Vectors, photos: Vectors, power: float) -> Vectors:
    """(G, D, E) drawings of (G, E) photos -> (E,): of each cell (Fisher's ratio over its mean) ** power.

    The ratio: variance between photos over that within the drawings of one. Cells are the last axis of a layout.
    """
    within = np.square(drawn - drawn.mean(axis=1, keepdims=True)).mean(axis=(0, 1))
    between = np.square(photos - photos.mean(axis=0)).mean(axis=0)
    ratio = between.reshape(-1, _CELLS).sum(axis=0) / np.maximum(within.reshape(-1, _CELLS).sum(axis=0), 1e-9)
    gains = (ratio / ratio.mean()) ** power
    spread: Vectors = np.tile(gains, photos.shape[1] // _CELLS).astype(np.float32)
    return spread
