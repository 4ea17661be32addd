"""A category's photos scored through its adapter, at the cost of a plain search and with one number kept per photo.

With M the adapter's map, a the sketch and x a photo, both mean-centred: their cosine after the map is
`(M Mt a) . x` over the lengths of `a M` and `x M`. The length of `x M` does not depend on the sketch, so it is kept;
then the products of `M Mt a` with the stored vectors are all that is left to do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from index_builder.artifact import inner_products, top_k
from models.adapters import CategoryAdapter, LowRankGram
from models.arrays import Rows, Vectors

Products = Callable[[Vectors, Rows], Vectors]
"""(E,), (R,) ascending rows -> (R,) inner products of the query with those rows' vectors."""

ProductBlocks = Callable[[Vectors, Rows], Iterator[Vectors]]
"""(Q, E), (R,) ascending rows -> (Q, n) inner products of all queries, piece by piece."""

_SMALLEST_LENGTH = 1e-6  # of what is left of a photo that equals the mean: rounding
_TOLD_APART_BY = 16  # numbers: two photos that share so many are the same picture
_ROUNDING = 1e-5  # of a length


@dataclass(frozen=True)
class CategoryScorer:
    """`rows` (N,) ascending, all of the category's; `inverse` (N,): 1 / length of each embedded photo, or 0.

    `adapter`: without its map, of which `squared`, M Mt, is all that is needed: (E, E), or short where the adapter has
    it so (None for the identity). `adapter_id`: None for the adapter that needs no examples.
    """

    adapter: CategoryAdapter
    adapter_id: str | None
    rows: Rows
    inverse: Vectors
    squared: Vectors | LowRankGram | None

    @classmethod
    def of(
        cls, adapter: CategoryAdapter, adapter_id: str | None, rows: Rows, blocks: Callable[[Rows], Iterator[Vectors]]
    ) -> CategoryScorer:
        """`blocks`: the vectors of some rows (n, E), piece by piece."""
        lengths, beginnings = [], []
        for block in blocks(rows):
            lengths.append(adapter.photo_lengths(block))
            beginnings.append(block[:, :_TOLD_APART_BY].copy())
        length = _equal_where_rows_are(np.concatenate(lengths), np.concatenate(beginnings))
        # `where` computes both sides: without the maximum, a photo that equals the mean would divide by zero.
        inverse = np.where(length < _SMALLEST_LENGTH, 0.0, 1.0 / np.maximum(length, _SMALLEST_LENGTH))
        squared: Vectors | LowRankGram | None = adapter.gram
        if squared is None and adapter.map is not None:
            squared = np.ascontiguousarray(adapter.map @ adapter.map.T)
        return cls(replace(adapter, map=None, gram=None), adapter_id, rows, inverse.astype(np.float32), squared)

    @property
    def nbytes(self) -> int:
        """Of all arrays that are kept."""
        squared = 0 if self.squared is None else self.squared.nbytes
        means = self.adapter.mean.nbytes + self.adapter.sketch_centre.nbytes
        return self.rows.nbytes + self.inverse.nbytes + means + squared

    def top_k(self, query: Vectors, k: int, products: Products, within: Rows | None = None) -> tuple[Vectors, Rows]:
        """(E,) unit query -> scores (K,), rows (K,): best first, ties by row. `within`: some of `rows`, ascending.

        A score is `offset + scale * cosine`, cut to [-1, 1]: the cosine after the adapter, on the scale that plain
        cosines between the category's photos have (`models.adapters.category.score_scale`).
        """
        rows = self.rows if within is None else within
        inverse = self.inverse if within is None else self.inverse[np.searchsorted(self.rows, within)]
        weights = self._photo_weights(query)
        cosines = products(weights, rows)
        # (x - mean) . w is x . w - mean . w, so the stored vectors are never centred, nor copied.
        cosines -= np.float32(weights @ self.adapter.mean)
        cosines *= inverse
        best, best_rows = top_k(cosines, k, rows)
        return np.clip(self.adapter.offset + self.adapter.scale * best, -1.0, 1.0), best_rows

    def nearest(self, queries: Vectors, k: int, products: ProductBlocks) -> Rows:
        """(Q, E) unit queries -> (Q, K) rows, K = min(k, N): the best of each as `top_k` scores them, in no order."""
        weights = np.stack([self._photo_weights(query) for query in queries])
        cosines = np.concatenate(list(products(weights, self.rows)), axis=1)
        cosines -= (weights @ self.adapter.mean)[:, None]
        cosines *= self.inverse
        k = min(k, len(self.rows))
        nearest: Rows = self.rows[np.argpartition(cosines, -k, axis=1)[:, -k:]]
        return nearest

    def _photo_weights(self, query: Vectors) -> Vectors:
        """(E,) sketch -> (E,): `M Mt a` over the length of `a M`, which a mean-centred photo is multiplied with."""
        centred = query - self.adapter.sketch_centre
        mapped = centred if self.squared is None else self._times_squared(self.squared, centred)
        # |a M|^2 is (M Mt a) . a, which rounding can leave just below zero.
        length = float(np.sqrt(max(float(centred @ mapped), 0.0)))
        weights: Vectors = mapped / np.float32(max(length, _SMALLEST_LENGTH))
        return weights

    @staticmethod
    def _times_squared(squared: Vectors | LowRankGram, centred: Vectors) -> Vectors:
        return squared.times(centred) if isinstance(squared, LowRankGram) else inner_products(squared, centred)


def _equal_where_rows_are(length: Vectors, beginnings: Vectors) -> Vectors:
    """(N,) lengths, (N, n) beginnings of the rows they are of -> (N,): the same to the bit for equal rows.

    A row of BLAS's product of matrices depends in its last bits on where it stands, on some processors, and photos that
    are alike have to tie.
    """
    beginnings = np.ascontiguousarray(beginnings)
    whole = beginnings.view(np.dtype((np.void, beginnings.dtype.itemsize * beginnings.shape[1])))[:, 0]
    _, first, group = np.unique(whole, return_index=True, return_inverse=True)
    same = length[first[group]]
    return np.where(np.abs(length - same) <= _ROUNDING * same, same, length)
