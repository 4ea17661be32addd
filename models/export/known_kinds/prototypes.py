"""Kinds that an encoder was trained on, each as the mean of its training images' embeddings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.adapters.adapter import unit_rows
from models.arrays import Vectors
from models.errors import InkseekError


class TooFewKinds(InkseekError):
    """There are no kinds with enough images to make prototypes of."""


@dataclass(frozen=True)
class KnownKinds:
    """Rows of length 1: of kinds with drawings, `sketches` (M, D), and of kinds with photos, `photos` (N, D)."""

    sketches: Vectors
    photos: Vectors


def prototypes(kind_parts: Vectors, kinds: Sequence[int], least: int) -> Vectors:
    """(I, D) kind parts of images and the number of each one's kind -> (M, D), a row of length 1 per kind, by number.

    A kind has at least `least` images. Raises TooFewKinds where none has.
    """
    numbers, counts = np.unique(np.asarray(kinds, np.int64), return_counts=True)
    kept = numbers[counts >= least]
    if not len(kept):
        raise TooFewKinds(f"of {len(numbers)} kinds none has {least} images")
    return unit_rows(np.stack([kind_parts[np.equal(kinds, kind)].mean(axis=0, dtype=np.float32) for kind in kept]))
