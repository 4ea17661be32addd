"""The gate between torch and ONNX: the same bytes in, the same vectors and the same ranking out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.errors import InkseekError
from models.ranking import top_columns


class ParityBroken(InkseekError):
    """The exported encoder does not answer as the trained one does."""


@dataclass(frozen=True)
class Parity:
    """`max_difference`: largest of any number of any vector. `rank_changes`: places in all top lists whose photo
    differs; `rank_swaps_within_tolerance`: those of them where both photos' scores differ by less than the tolerance,
    so that rounding decides their order."""

    images: int
    max_difference: float
    queries: int
    rank_changes: int
    rank_swaps_within_tolerance: int

    def require(self, max_difference: float) -> None:
        """Raises ParityBroken when a vector differs by more, or a ranking by more than rounding."""
        if self.max_difference > max_difference:
            raise ParityBroken(f"vectors differ by up to {self.max_difference:.2e}; allowed: {max_difference:.0e}")
        if self.rank_changes > self.rank_swaps_within_tolerance:
            raise ParityBroken(f"{self.rank_changes} places of the top lists changed in {self.queries} queries")


Encode = Callable[[NDArray[np.float32]], NDArray[np.float32]]


def encode_in_batches(encode: Encode, pixels: NDArray[np.float32], batch: int = 16) -> NDArray[np.float32]:
    """(N, 3, H, W) -> (N, E)."""
    return np.concatenate([encode(pixels[start : start + batch]) for start in range(0, len(pixels), batch)])


def compare(
    reference: tuple[NDArray[np.float32], NDArray[np.float32]],
    exported: tuple[NDArray[np.float32], NDArray[np.float32]],
    *,
    k: int = 10,
    tolerance: float = 1e-3,
) -> Parity:
    """(sketch rows (Q, E), photo rows (G, E)) of both -> how far apart they are, in vectors and in top-k rankings."""
    differences = [float(np.abs(a - b).max()) for a, b in zip(reference, exported, strict=True)]
    scores = reference[0] @ reference[1].T
    before, after = top_columns(scores, k), top_columns(exported[0] @ exported[1].T, k)
    changed = before != after
    gap = np.abs(np.take_along_axis(scores, before, 1) - np.take_along_axis(scores, after, 1))
    return Parity(
        images=len(reference[0]) + len(reference[1]),
        max_difference=max(differences),
        queries=len(scores),
        rank_changes=int(changed.sum()),
        rank_swaps_within_tolerance=int((changed & (gap <= tolerance)).sum()),
    )


def pooled(parts: Sequence[Parity]) -> Parity:
    """Of several galleries as one: the largest difference, everything else added up."""
    return Parity(
        images=sum(part.images for part in parts),
        max_difference=max(part.max_difference for part in parts),
        queries=sum(part.queries for part in parts),
        rank_changes=sum(part.rank_changes for part in parts),
        rank_swaps_within_tolerance=sum(part.rank_swaps_within_tolerance for part in parts),
    )
