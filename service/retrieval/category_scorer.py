"""A category's photos scored through its head, at the cost of a plain search and with one number kept per photo.

With u the embedded query, `u . (x - mean) @ map / length(x)` is `(map @ u) . x - (map @ u) . mean`, over the length of
the embedded photo: the products with the stored vectors are all that depends on the query.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from index_builder.artifact.exact_search import Rows, Vectors
from models.bundle import CategoryHead

Products = Callable[[Vectors, Rows], Vectors]
"""(E,), (R,) ascending rows -> (R,) inner products of the query with those rows' vectors."""

_SMALLEST_LENGTH = 1e-6  # a photo that equals the mean: what is left of it is rounding


@dataclass(frozen=True)
class CategoryScorer:
    """`rows` (N,) ascending, all of the category's; `inverse` (N,): 1 / length of each embedded photo, or 0.

    `head_id`: None for the head that needs no examples.
    """

    head: CategoryHead
    head_id: str | None
    rows: Rows
    inverse: NDArray[np.float32]

    @classmethod
    def of(
        cls, head: CategoryHead, head_id: str | None, rows: Rows, blocks: Callable[[Rows], Iterator[Vectors]]
    ) -> CategoryScorer:
        """`blocks`: the vectors of some rows (n, E), piece by piece."""
        lengths = []
        for block in blocks(rows):
            moved = block - head.mean
            lengths.append(np.linalg.norm(moved if head.map is None else moved @ head.map, axis=1))
        length = np.concatenate(lengths)
        inverse = np.where(length < _SMALLEST_LENGTH, 0.0, 1.0 / np.maximum(length, _SMALLEST_LENGTH))
        return cls(head, head_id, rows, inverse.astype(np.float32))

    def top_k(self, query: Vectors, k: int, products: Products, within: Rows | None = None) -> tuple[Vectors, Rows]:
        """(E,) unit query -> scores (K,), rows (K,): best first, ties by row. `within`: some of `rows`, ascending."""
        rows = self.rows if within is None else within
        inverse = self.inverse if within is None else self.inverse[np.searchsorted(self.rows, within)]
        k = min(k, len(rows))
        if k == 0:
            return np.empty(0, np.float32), np.empty(0, np.int64)
        asked = self.head.embed(query[None])[0]
        if self.head.map is not None:
            asked = self.head.map @ asked
        cosines = (products(asked, rows) - np.float32(asked @ self.head.mean)) * inverse
        scores = np.clip(self.head.offset + self.head.scale * cosines, -1.0, 1.0).astype(np.float32)
        # All that tie with the k-th take part, so that the lower row wins and not whichever lay better for the cut.
        candidates = np.flatnonzero(scores >= np.partition(scores, len(rows) - k)[len(rows) - k])
        best = candidates[np.lexsort((candidates, -scores[candidates]))[:k]]
        return scores[best], rows[best]
