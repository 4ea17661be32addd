"""Several stores as one: the segments of a gallery, with its rows over all of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from index_builder.stores.base import VectorStore
from index_builder.stores.row_map import RowMap
from models.arrays import Rows, Vectors


class SegmentedStore:
    """A `VectorStore` over the rows of a `RowMap`; a segment's deleted rows are never proposed.

    Products are computed by the segments, to the same bits as in one store that holds all rows.
    """

    def __init__(self, segments: Sequence[VectorStore], row_map: RowMap) -> None:
        """`segments`: at least one, in the order of `row_map`; approximate ones know which of their rows are live."""
        self._segments = tuple(segments)
        self._map = row_map
        self._all_rows = np.arange(row_map.count, dtype=np.int64)
        self._all_rows.flags.writeable = False  # every caller of an exact search gets this very array

    @property
    def count(self) -> int:
        """Vectors in the store (G), without deleted ones."""
        return self._map.count

    @property
    def dim(self) -> int:
        """Length of a vector (E)."""
        return self._segments[0].dim

    def candidates(
        self, queries: Vectors, k: int, *, within: Rows | None = None, exact: bool = False
    ) -> Sequence[Rows]:
        """(Q, E) -> for each query the candidates of all segments, ascending."""
        if exact or within is not None:
            return [self._all_rows if within is None else within] * len(queries)
        return [self._proposed(query[None], k) for query in queries]

    def vectors_of(self, rows: Rows) -> Vectors:
        """(R,) ascending -> (R, E), read-only: a view where one segment has them side by side, else a copy."""
        parts = list(self._map.split(rows))
        if len(parts) == 1:
            segment, _, within = parts[0]
            return self._segments[segment].vectors_of(within)
        vectors = np.empty((len(rows), self.dim), np.float32)
        for segment, positions, within in parts:
            vectors[positions] = self._segments[segment].vectors_of(within)
        vectors.flags.writeable = False
        return vectors

    def products(self, queries: Vectors, rows: Rows | None = None) -> Vectors:
        """(Q, E), (R,) ascending -> (Q, R) inner products; `rows` None: of all G rows."""
        if rows is None or rows is self._all_rows:
            return self._all_products(queries)
        products = np.empty((len(queries), len(rows)), np.float32)
        for segment, positions, within in self._map.split(rows):
            products[:, positions] = self._segments[segment].products(queries, within)
        return products

    def close(self) -> None:
        """Close every segment."""
        for segment in self._segments:
            segment.close()

    def _all_products(self, queries: Vectors) -> Vectors:
        products = np.empty((len(queries), self.count), np.float32)
        for number, segment in enumerate(self._segments):
            live = self._map.live(number)
            # Of all rows and then without the deleted ones: gathering the live vectors would copy nearly all.
            every = segment.products(queries)
            products[:, self._map.rows_of(number, live)] = every if len(live) == segment.count else every[:, live]
        return products

    def _proposed(self, query: Vectors, k: int) -> Rows:
        proposed = [
            self._map.rows_of(number, segment.candidates(query, k)[0]) for number, segment in enumerate(self._segments)
        ]
        rows: Rows = np.sort(np.concatenate(proposed))
        # Every row of every segment: the array that `products` knows, so that no vector is copied.
        return rows if len(rows) < self.count else self._all_rows
