"""The port of every vector store: what searching, adapting and measuring ask of it.

A search is three steps that each store takes in its own way: `candidates` proposes rows, `products` scores them
exactly, `ranking.top_k` orders the scores. So an approximate store loses recall, never the meaning of a score, and ties
are broken by the same rule everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from models.arrays import Rows, Vectors


class VectorStore(Protocol):
    """G immutable unit vectors of length E, known by their rows 0 … G - 1. Thread-safe.

    Rows travel as ascending, distinct int64 arrays; `products` and `vectors_of` answer in the order of the rows.
    """

    @property
    def count(self) -> int:
        """Vectors in the store (G)."""

    @property
    def dim(self) -> int:
        """Length of a vector (E)."""

    def candidates(
        self, queries: Vectors, k: int, *, within: Rows | None = None, exact: bool = False
    ) -> Sequence[Rows]:
        """(Q, E) -> for each query ascending rows (C,), C >= min(k, rows to choose from), that hold its best k.

        `within` limits the choice to some rows. With `exact` the best k are among them without fail, and every row
        that ties with the k-th; otherwise an approximate store may miss some, or all that lie far from the query.
        """

    def vectors_of(self, rows: Rows) -> Vectors:
        """(R,) -> (R, E), read-only: a view where the rows are adjacent, else a copy."""

    def products(self, queries: Vectors, rows: Rows | None = None) -> Vectors:
        """(Q, E), (R,) -> (Q, R) inner products, which are cosines for unit queries; `rows` None: of all G rows.

        A product is the same to the bit whichever other rows and queries are computed with it.
        """

    def close(self) -> None:
        """Release files and connections; call when no thread uses the store any more."""
