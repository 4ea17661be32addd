"""What every adapter does: stored embeddings (N, E) -> (N, E'), so that adapting never encodes an image again.

A **category adapter** serves the searches within one category, a **style adapter** the drawings of one person. What
adapts by other means (a re-projected trunk, weights predicted from photos) takes the same place by the same protocol.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from models.arrays import Vectors


class Adapter(Protocol):
    """Embeds sketches and photos of one space into another, where their inner products compare them."""

    def embed_sketches(self, sketches: Vectors) -> Vectors:
        """(N, E) sketches, rows of length 1 -> (N, E'), rows of length 1."""

    def embed_photos(self, photos: Vectors) -> Vectors:
        """(N, E) photos, rows of length 1 -> (N, E'), rows of length 1."""

    def scores(self, sketches: Vectors, photos: Vectors) -> Vectors:
        """(Q, E') sketches, (G, E') photos, both embedded by this adapter -> (Q, G) in [-1, 1]."""


@dataclass(frozen=True)
class NoAdapter:
    """Plain cosines of the encoders' embeddings: what every adapter is compared with."""

    def embed_sketches(self, sketches: Vectors) -> Vectors:
        """(N, E) -> the same rows."""
        return sketches

    def embed_photos(self, photos: Vectors) -> Vectors:
        """(N, E) -> the same rows."""
        return photos

    def scores(self, sketches: Vectors, photos: Vectors) -> Vectors:
        """(Q, E), (G, E) rows of length 1 -> (Q, G) cosines."""
        return plain_cosines(sketches, photos)


def plain_cosines(sketches: Vectors, photos: Vectors) -> Vectors:
    """(Q, E), (G, E) rows of length 1 -> (Q, G) in [-1, 1]; rounding beyond is clipped."""
    cosines: Vectors = np.clip(sketches @ photos.T, -1.0, 1.0)
    return cosines


def unit_rows(rows: Vectors) -> Vectors:
    """(N, E) -> (N, E) float32, rows of length 1; a row of zeros stays."""
    unit: Vectors = (rows / np.maximum(row_lengths(rows)[:, None], 1e-9)).astype(np.float32, copy=False)
    return unit


def row_lengths(rows: Vectors) -> Vectors:
    """(N, E) -> (N,), several times as fast as `np.linalg.norm` over an axis, which writes all squares first.

    Of ten rows, too: what `norm` looks at before takes longer than those.
    """
    lengths: Vectors = np.sqrt(np.einsum("ne,ne->n", rows, rows))
    return lengths
