"""The gate between torch and ONNX: of the same bytes both make the same embeddings and the same top lists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.arrays import Vectors
from models.export.gates import GateNotPassed
from models.ranking import top_columns


class ParityBroken(GateNotPassed):
    """The exported encoder does not answer as the trained one does."""


@dataclass(frozen=True)
class Parity:
    """How two encoders differ on the same images.

    `max_difference`: the largest of any number of any embedding. `rank_changes`: positions in all top lists whose photo
    differs; `rank_swaps_within_tolerance`: those of them where both photos' scores differ by no more than the
    tolerance, so that rounding decides their order.
    """

    images: int
    max_difference: float
    queries: int
    rank_changes: int
    rank_swaps_within_tolerance: int

    def require(self, max_difference: float) -> None:
        """Raises ParityBroken when an embedding differs by more, or a ranking by more than rounding explains."""
        if self.max_difference > max_difference:
            raise ParityBroken(
                f"embeddings differ by up to {self.max_difference:.2e}; allowed: {max_difference:.0e}",
                measured=self.max_difference,
                required=max_difference,
            )
        if self.rank_changes > self.rank_swaps_within_tolerance:
            raise ParityBroken(
                f"{self.rank_changes} positions of the top lists changed in {self.queries} queries",
                measured=self.rank_changes,
                required=self.rank_swaps_within_tolerance,
            )


def compare(
    trained: tuple[Vectors, Vectors],
    exported: tuple[Vectors, Vectors],
    *,
    k: int = 10,
    tolerance: float = 1e-3,
) -> Parity:
    """(Q, E) sketches and (G, E) photos, by each of two pairs of encoders -> how they differ, in numbers and top lists.

    `k`: length of the lists; `tolerance`: of scores, see `Parity`.
    """
    differences = [float(np.abs(a - b).max()) for a, b in zip(trained, exported, strict=True)]
    scores = trained[0] @ trained[1].T
    before, after = top_columns(scores, k), top_columns(exported[0] @ exported[1].T, k)
    changed = before != after
    # Both photos by the same encoder's scores: the gap says how firmly it had ordered them.
    gap = np.abs(np.take_along_axis(scores, before, 1) - np.take_along_axis(scores, after, 1))
    return Parity(
        images=len(trained[0]) + len(trained[1]),
        max_difference=max(differences),
        queries=len(scores),
        rank_changes=int(changed.sum()),
        rank_swaps_within_tolerance=int((changed & (gap <= tolerance)).sum()),
    )


def pooled(parts: Sequence[Parity]) -> Parity:
    """Several galleries as one: the largest difference, and the sums of everything else."""
    return Parity(
        images=sum(part.images for part in parts),
        max_difference=max(part.max_difference for part in parts),
        queries=sum(part.queries for part in parts),
        rank_changes=sum(part.rank_changes for part in parts),
        rank_swaps_within_tolerance=sum(part.rank_swaps_within_tolerance for part in parts),
    )
