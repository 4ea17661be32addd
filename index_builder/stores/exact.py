"""The exact store: every row is a candidate of every query."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from index_builder.stores.products import inner_products
from index_builder.stores.vectors_file import open_vectors
from models.arrays import Rows, Vectors

# Rows that are scored in one call: bounds the memory of a gathered block (65,536 x 800 floats = 200 MB at worst).
BLOCK_ROWS = 65_536


class ExactStore:
    """A `VectorStore` over an array or a memory map; candidates are complete, so every answer is exact."""

    def __init__(self, vectors: Vectors, *, block_rows: int = BLOCK_ROWS) -> None:
        """`vectors`: (G, E), kept without a copy; `block_rows` bounds the memory of a gathered block."""
        self._vectors = vectors.view()
        self._vectors.flags.writeable = False
        self._block_rows = block_rows

    @cached_property
    def _all_rows(self) -> Rows:
        rows: Rows = np.arange(self.count, dtype=np.int64)
        rows.flags.writeable = False  # every caller of `candidates` gets this very array
        return rows

    @classmethod
    def open(cls, path: Path, *, count: int, dim: int) -> ExactStore:
        """Map a vectors file of that shape. Raises StoreUnreadable."""
        return cls(open_vectors(path, count, dim))

    @property
    def count(self) -> int:
        """Vectors in the store (G)."""
        return len(self._vectors)

    @property
    def dim(self) -> int:
        """Length of a vector (E)."""
        return int(self._vectors.shape[1])

    def candidates(
        self, queries: Vectors, k: int, *, within: Rows | None = None, exact: bool = False
    ) -> Sequence[Rows]:
        """(Q, E) -> for each query all rows, or all of `within`."""
        return [self._all_rows if within is None else within] * len(queries)

    def vectors_of(self, rows: Rows) -> Vectors:
        """(R,) ascending -> (R, E), read-only: a view where the rows are adjacent, else a copy."""
        # A category's rows mostly are adjacent: rows are sorted by photo id, which starts with the folder's name.
        if len(rows) and int(rows[-1]) - int(rows[0]) + 1 == len(rows):
            return self._vectors[int(rows[0]) : int(rows[-1]) + 1]
        return self._vectors[rows]

    def products(self, queries: Vectors, rows: Rows | None = None) -> Vectors:
        """(Q, E), (R,) ascending -> (Q, R) inner products; `rows` None: of all G rows."""
        rows = self._all_rows if rows is None else rows
        products = np.empty((len(queries), len(rows)), np.float32)
        for block in self._blocks(len(rows)):
            vectors = self.vectors_of(rows[block])
            for position, query in enumerate(queries):
                products[position, block] = inner_products(vectors, query)
        return products

    def close(self) -> None:
        """Nothing to release: the memory map goes with the last array that shows it."""

    def _blocks(self, count: int) -> Iterator[slice]:
        for start in range(0, count, self._block_rows):
            yield slice(start, min(start + self._block_rows, count))
