"""The last layer fitted to pairs: a residual of the 1x1 projection, by ridge regression over the cells."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.adapters.adapter import unit_rows
from models.arrays import Vectors

_CELLS = 25


@dataclass(frozen=True)
class Reprojection:
    """layout + the cells' channels, standardised, times `weights` (C, c), shared by all cells."""

    mean: Vectors
    scale: Vectors
    weights: Vectors

    @classmethod
    def of(
        cls, cells: Vectors, sketches: Vectors, positives: Vectors, photos: Vectors, *, strength: float
    ) -> Reprojection:
        """(S, C cells), (S, E) sketches, (S, E) the photo of each, (G, E) photos -> the fit.

        What the residual is to explain is the photo less the mean photo, less the sketch less the mean sketch: the
        means are the centre's business. Minimises |X W - Y|^2 + strength * S * cells * |W|^2.
        """
        channels = cells.shape[1] // _CELLS if len(cells) else 1
        x = _by_cell(cells, channels)
        mean, scale = (x.mean(axis=0), x.std(axis=0) + 1e-3) if len(x) else (np.zeros(channels), np.ones(channels))
        wanted = (positives - photos.mean(axis=0)) - (sketches - sketches.mean(axis=0)) if len(x) else positives
        y = _by_cell(wanted, photos.shape[1] // _CELLS)
        standard = (x - mean) / scale
        gram = standard.T @ standard + strength * max(1, len(x)) * np.eye(channels)
        weights = np.linalg.solve(gram, standard.T @ y)
        return cls(mean.astype(np.float32), scale.astype(np.float32), weights.astype(np.float32))

    def apply(self, layout: Vectors, cells: Vectors) -> Vectors:
        """(N, E) embeddings, (N, C cells) what they were projected from -> (N, E), rows of length 1."""
        if cells.shape[1] != len(self.mean) * _CELLS:
            return layout  # of no example
        standard = (_by_cell(cells, len(self.mean)) - self.mean) / self.scale
        by_cell = (standard @ self.weights).reshape(len(layout), _CELLS, -1)
        moved = by_cell.transpose(0, 2, 1).reshape(len(layout), -1)
        return unit_rows((layout + moved).astype(np.float32))


def _by_cell(rows: Vectors, channels: int) -> Vectors:
    """(N, channels * cells) -> (N * cells, channels)."""
    by_cell: Vectors = rows.reshape(len(rows), channels, _CELLS).transpose(0, 2, 1).reshape(-1, channels)
    return by_cell
